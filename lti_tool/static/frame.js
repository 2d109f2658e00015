/* In an LMS's frame: ask it for the height of the page, where it says that it can give it (org.imsglobal,
   lti.capabilities then lti.frameResize). Moodle answers nothing: the page then scrolls in its frame. */
(function () {
  'use strict';

  if (window.parent === window || document.body.classList.contains('fit')) return;
  let sent = 0;

  /** To whichever LMS frames us: a height says nothing of anybody. */
  function tell(message) {
    window.parent.postMessage(message, '*');
  }

  function resize() {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    if (height === sent) return;
    sent = height;
    tell({ subject: 'lti.frameResize', message_id: 'spirale-height', height: height });
  }

  function canResize(data) {
    return data && data.subject === 'lti.capabilities.response' && Array.isArray(data.supported_messages)
      && data.supported_messages.some(function (one) { return one && one.subject === 'lti.frameResize'; });
  }

  window.addEventListener('message', function listen(event) {
    if (event.source !== window.parent || !canResize(event.data)) return;
    window.removeEventListener('message', listen);
    resize();
    new ResizeObserver(resize).observe(document.body);
  });
  tell({ subject: 'lti.capabilities', message_id: 'spirale-capabilities' });
})();
