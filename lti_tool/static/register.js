/* « Terminer »: asks the platform to close the frame or the window it opened (LTI Dynamic Registration, § 3.7). */
(function () {
  'use strict';

  document.querySelector('[data-close]').addEventListener('click', function () {
    // To anybody: it says nothing but « close », and who frames the page need not be the platform's own origin.
    (window.opener || window.parent).postMessage({ subject: 'org.imsglobal.lti.close' }, '*');
  });
})();
