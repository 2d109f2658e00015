/* While scores wait, the page keeps itself up to date. It reads and works without this file. */
(function () {
  'use strict';

  const SOON_MS = 2000;
  const LATER_MS = 15000;
  const SOON_TRIES = 30;      // after a minute without news the platform is in trouble: less often
  const MOST_FAILURES = 5;

  const main = document.getElementById('main');
  let quiet = 0;
  let failures = 0;

  // Outside of what is swapped, so that what is put in it is read out; at each quarter only.
  const voice = document.createElement('p');
  voice.className = 'sr';
  voice.setAttribute('role', 'status');
  document.body.append(voice);

  function quarter(region) {
    return region ? Math.floor(4 * Number(region.dataset.done) / Number(region.dataset.total)) : 4;
  }

  /** How far the sending is, also for whoever is using the rest of the page: nothing in there can be pressed. */
  function follow(fresh) {
    const old = main.querySelector('[data-progress]');
    const news = fresh.querySelector('[data-progress]');
    if (!old) return;
    if (quarter(news) !== quarter(old)) {
      voice.textContent = news ? news.querySelector('label').textContent : fresh.querySelector('.sum').textContent;
    }
    if (news) {
      const bar = old.querySelector('progress'), fill = news.querySelector('progress');
      bar.value = fill.value;
      bar.max = fill.max;
      old.querySelector('label').textContent = news.querySelector('label').textContent;
      old.dataset.done = news.dataset.done;
      old.dataset.total = news.dataset.total;
    } else {
      old.remove();
    }
  }

  function somethingWaits() {
    return main.querySelector('[data-refresh]') !== null;
  }

  /** Whoever reads or presses something in the page is not disturbed. */
  function inUse() {
    const chosen = document.getSelection();
    return main.contains(document.activeElement) || (chosen && !chosen.isCollapsed);
  }

  /** Put the fresh content in place; what was scrolled stays where it was. */
  function show(fresh) {
    if (fresh.innerHTML === main.innerHTML) { quiet += 1; return; }
    const scrolled = Array.from(main.querySelectorAll('.box'), function (box) { return [box.scrollLeft, box.scrollTop]; });
    main.replaceChildren.apply(main, Array.from(document.importNode(fresh, true).childNodes));
    main.querySelectorAll('.box').forEach(function (box, i) {
      if (scrolled[i]) { box.scrollLeft = scrolled[i][0]; box.scrollTop = scrolled[i][1]; }
    });
    quiet = 0;
  }

  async function refresh() {
    if (!document.hidden && (!inUse() || main.querySelector('[data-progress]'))) {
      try {
        const answer = await fetch(location.href, { credentials: 'same-origin', cache: 'no-store' });
        if (!answer.ok) throw new Error(String(answer.status));
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const fresh = page.getElementById('main');
        failures = 0;
        if (fresh) follow(fresh);
        if (fresh && !inUse()) show(fresh); else quiet += 1;
      } catch {
        failures += 1;
      }
    }
    plan();
  }

  function plan() {
    if (somethingWaits() && failures < MOST_FAILURES) setTimeout(refresh, quiet < SOON_TRIES ? SOON_MS : LATER_MS);
  }

  plan();
})();
