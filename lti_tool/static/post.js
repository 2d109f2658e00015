/* Posts the page's form at once; its button is there for browsers without scripts. */
(function () {
  'use strict';

  // Coming back with the browser's own button must not send the answer a second time.
  const arrival = performance.getEntriesByType('navigation')[0];
  if (arrival && arrival.type === 'back_forward') return;
  document.querySelector('form[data-post]').submit();
})();
