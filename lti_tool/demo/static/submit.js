// Post the page's form at once; its button is for browsers without scripts.
document.querySelector("form[data-auto-submit]").submit();
