// What the pages do beyond plain HTML: live figures, local times, keys, dialogs, charts. Every action works without it.
(() => {
  'use strict';
  const $ = (s, e = document) => e.querySelector(s), $$ = (s, e = document) => [...e.querySelectorAll(s)];
  const root = document.documentElement, body = document.body;
  // Below which path of the site this is, such as /ops; mostly none.
  const base = ($('.brand')?.getAttribute('href') ?? '/').slice(0, -1);

  // --- times: rendered in UTC by the server, shown in the viewer's zone; how long ago is in the tooltip
  const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
  const day = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
  const span = s => s < 60 ? `${Math.round(s)} s` : s < 3600 ? `${Math.round(s / 60)} min` : s < 172800 ? `${(s / 3600).toFixed(1)} h` : `${Math.round(s / 86400)} d`;
  const times = within => $$('time[datetime]', within).forEach(e => {
    const t = new Date(e.dateTime);
    e.textContent = (t.toDateString() === new Date().toDateString() ? clock : day).format(t);
    const s = (Date.now() - t) / 1000;
    e.title = `${s < 0 ? `in ${span(-s)}` : `${span(s)} ago`} · ${t.toISOString()}`;
  });

  // --- live figures: one stream for all pages of a browser (live.js); the server sends finished texts, and only those that changed
  const pulse = $('#pulse'), feed = $('#live-url')?.content, depths = {}, charts = [], live = [], history = [];
  // Durations are not taken from the clock, which may be set back.
  let paused = false, over = false, waits = true, late = false, last = performance.now(), heard = last, posted = 0, port;
  const spark = name => {
    const svg = $(`[data-spark="${CSS.escape(name)}"]`), d = depths[name];
    if (!svg || !d) return;
    const top = Math.max(1, ...d), title = $('title', svg), says = `Depth over the last minute: ${d[d.length - 1].toLocaleString('en')} now, ${Math.max(...d).toLocaleString('en')} at most`;
    if (title.textContent !== says) title.textContent = says;
    $('polyline', svg).setAttribute('points', d.map((v, i) => `${(110 - (d.length - 1 - i) * 110 / 59).toFixed(1)},${(19 - 18 * v / top).toFixed(1)}`).join(' '));
  };
  const apply = tick => {
    for (const [key, text] of Object.entries(tick.v ?? {})) $$(`[data-live="${CSS.escape(key)}"]`).forEach(e => {
      if (e.textContent === text) return;
      e.textContent = text;
      // A list is fetched again with the figures that it explains, not seconds after them.
      $$(`[data-with~="${CSS.escape(key)}"]`).forEach(list => { dues[list.id] = 0; });
    });
    for (const [key, state] of Object.entries(tick.s ?? {})) $$(`[data-live-state="${CSS.escape(key)}"]`).forEach(e => { e.dataset.state = state; });
    for (const [name, depth] of Object.entries(tick.d ?? {})) { const d = depths[name] = tick.all ? [] : depths[name] ?? []; d.push(...[].concat(depth)); d.splice(0, d.length - 60); spark(name); }
    if (tick.h) history.splice(0, history.length, ...tick.h);
    // Two minutes, whatever the pace was; and nothing after now, when the server's clock was set back.
    const p = tick.p;
    if (p) history.splice(0, history.length, ...history.filter(row => row[0] < p[0] && row[0] >= p[0] - 120), p);
    if (tick.b !== undefined) { body.classList.toggle('broker-away', tick.b !== ''); const bar = $('#broker'); if (bar) { bar.hidden = tick.b === ''; $('span', bar).textContent = tick.b; } }
    live.forEach(c => c());
  };
  const say = (state, text) => { if (!pulse) return; pulse.dataset.state = state; if (pulse.textContent !== text) pulse.textContent = text; };
  const all = (...names) => [...new Set(names.flatMap(n => $$(`[data-${n}]`).map(e => e.getAttribute(`data-${n}`))))];
  const post = () => {
    posted = performance.now();
    port.postMessage(paused || over || document.hidden ? null : { keys: all('live', 'live-state'), sparks: all('spark'), charts: live.length > 0 });
  };
  const leave = () => port?.postMessage(null);
  const join = () => {
    leave();
    // A worker of this page alone ends, a port to the shared one closes.
    if (port) (port.terminate ?? port.close).call(port);
    const shared = window.SharedWorker, worker = new (shared ?? Worker)($('#live-worker').content, { name: feed });
    const mine = port = shared ? worker.port : worker;
    heard = performance.now();
    mine.onmessage = ({ data }) => {
      if (port !== mine) return;
      heard = performance.now();
      if (data.over) end(data.over);
      if (!data.tick || paused || document.hidden) return;
      const missed = late || heard - last > 4000;
      last = heard;
      waits = late = false;
      apply(data.tick);
      beat();
      if (missed) refresh(true);
    };
    post();
  };
  // Logged out, here or elsewhere, or logged in as somebody else: nothing more comes to this page.
  const end = why => {
    over = true;
    say('bad', 'Logged out');
    body.classList.add('stale');
    const bar = $('#session');
    $('strong', bar).textContent = why === 'other' ? 'This browser has logged in again.' : 'Your session has ended.';
    bar.hidden = false;
    post();
  };
  // By id: an answer replaces the element.
  const dues = {};
  const refresh = all => $$('[data-every]').forEach(e => {
    const now = performance.now();
    if (all || now >= (dues[e.id] ??= now + e.dataset.every * 1000)) { dues[e.id] = now + e.dataset.every * 1000; htmx.trigger(e, 'refresh'); }
  });
  const beat = () => {
    if (over || document.hidden) return;
    if (paused) return say('warn', 'Paused');
    const now = performance.now(), age = Math.round((now - last) / 1000);
    // A worker that says nothing at all has died, and with it what all pages share: the first to notice starts another.
    if (now - heard > 10000) join();
    else if (now - posted > 10000) post();
    body.classList.toggle('stale', age > 3);
    if (age > 3) say('bad', `No data for ${age} s`);
    else if (waits) say('warn', 'Connecting');
    else { say('good', 'Live'); if (!$('dialog[open]')) refresh(false); }
  };
  // Seen again, or resumed: what the page shows is as old as that.
  const turn = () => {
    if (!paused && !document.hidden) { late ||= performance.now() - last > 4000; waits = true; last = heard = performance.now(); }
    post();
    beat();
  };
  if (feed && pulse) {
    setInterval(beat, 1000);
    document.addEventListener('visibilitychange', turn);
    addEventListener('pagehide', leave);
    addEventListener('pageshow', e => { if (e.persisted) { join(); turn(); } });
  }
  const pause = $('#pause');
  pause?.addEventListener('click', () => {
    paused = !paused;
    pause.textContent = paused ? 'Resume updates' : 'Pause updates';
    pause.setAttribute('aria-pressed', paused);
    turn();
  });

  // --- theme: a cookie, so that the server renders the right one at once
  $('#theme')?.addEventListener('click', () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    document.cookie = `theme=${root.dataset.theme};path=${base || '/'};max-age=31536000;samesite=strict${location.protocol === 'https:' ? ';secure' : ''}`;
    charts.forEach(c => c(true));
  });
  // A page without a choice of its own follows the system, also at sunset; the lines of a chart are drawn in colours.
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => charts.forEach(c => c(true)));
  // On a phone the pages are a row that is longer than the screen: the one that is open is in sight.
  const here = $('.side [aria-current]'), row = here?.closest('ul');
  if (row) row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;

  // --- charts (charts.js)
  if (window.Charts) $$('[data-chart]').forEach(e => {
    const of = e.closest('[data-rows]')?.dataset;
    const chart = Charts.draw(e, () => of ? JSON.parse(of.rows) : history, JSON.parse(of?.marks ?? '[]'));
    charts.push(chart);
    if (!of) live.push(chart);
  });

  // --- dialogs, selection, forms
  document.addEventListener('click', e => {
    const open = e.target.closest('[data-open]'), close = e.target.closest('[data-close]');
    if (open) { e.preventDefault(); $(open.dataset.open).showModal(); }
    if (close) close.closest('dialog').close();
    if (e.target.matches('[data-all]')) { $$('[data-pick]').forEach(b => { b.checked = e.target.checked; }); picked(); }
    if (e.target.matches('[data-pick]')) picked();
  });
  document.addEventListener('change', e => { const f = e.target.closest('form[data-auto]'); if (f && e.target.matches('select,[type=checkbox]')) f.requestSubmit(); });
  const picked = () => {
    const n = $$('[data-pick]:checked').length;
    $$('[data-picked]').forEach(b => { b.hidden = b.dataset.only ? n !== +b.dataset.only : n === 0; b.textContent = b.dataset.picked.replace('#', n).replace('(s)', n === 1 ? '' : 's'); });
  };

  // --- keys
  const rows = () => $$('main tbody tr').filter(r => $('a', r));
  const move = by => {
    const all = rows(), at = all.findIndex(r => r.classList.contains('at') || r.contains(document.activeElement)), next = all[Math.max(0, Math.min(all.length - 1, at + by))];
    all[at]?.classList.remove('at');
    if (!next) return;
    next.classList.add('at');
    $('a', next).focus();
  };
  let g = -Infinity;
  document.addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.matches('input:not([type=checkbox]),textarea,select') || $('dialog[open]')) return;
    // By when the key was pressed, not by when a busy page came to look at it.
    if (e.timeStamp - g < 1200) {
      g = -Infinity;
      const link = $(`.side a[data-go="${CSS.escape(e.key)}"]`);
      if (link) { e.preventDefault(); link.click(); }
      return;
    }
    switch (e.key) {
      case 'g': g = e.timeStamp; break;
      case '/': e.preventDefault(); $('#find').focus(); break;
      case 'j': move(1); break;
      case 'k': move(-1); break;
      case 'x': { const b = $('tr.at [data-pick]'); if (b) { b.checked = !b.checked; picked(); } break; }
      case 'r': case 'n': case 'p': case 'c': { const b = $(`[data-key=${e.key}]:not([hidden]):not(:disabled)`); if (b) { e.preventDefault(); b.click(); } break; }
      case '?': $('#keys')?.showModal(); break;
    }
  });

  document.addEventListener('htmx:after:swap', () => { times(document); if (port) post(); });
  times(document);
  if (feed && pulse) join();
})();
