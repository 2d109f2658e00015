// The tool in the frame has finished registering: the frame goes, the list comes back (as in Moodle).
const frame = document.getElementById("contentframe");
window.addEventListener("message", (event) => {
  if (event.source !== frame.contentWindow || event.data?.subject !== "org.imsglobal.lti.close") return;
  frame.remove();
  window.location.assign(frame.dataset.back);
});
