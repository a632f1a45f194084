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

  // --- live figures: one stream; the server sends finished texts, and only those that changed
  const pulse = $('#pulse'), feed = $('#live-url')?.content, depths = {}, charts = [], history = [];
  let paused = false, last = Date.now(), source, restarted = false;
  const spark = name => {
    const line = $(`[data-spark="${CSS.escape(name)}"] polyline`), d = depths[name];
    if (!line || !d) return;
    const top = Math.max(1, ...d);
    line.setAttribute('points', d.map((v, i) => `${(110 - (d.length - 1 - i) * 110 / 59).toFixed(1)},${(19 - 18 * v / top).toFixed(1)}`).join(' '));
  };
  const apply = tick => {
    for (const [key, text] of Object.entries(tick.v ?? {})) $$(`[data-live="${CSS.escape(key)}"]`).forEach(e => { if (e.textContent !== text) e.textContent = text; });
    for (const [key, state] of Object.entries(tick.s ?? {})) $$(`[data-live-state="${CSS.escape(key)}"]`).forEach(e => { e.dataset.state = state; });
    for (const [name, depth] of Object.entries(tick.d ?? {})) { const d = depths[name] ??= []; d.push(...[].concat(depth)); d.splice(0, d.length - 60); spark(name); }
    if (tick.h) history.splice(0, history.length, ...tick.h);
    if (tick.p) history.push(tick.p);
    history.splice(0, history.length - 120);
    if (tick.b !== undefined) { body.classList.toggle('broker-away', tick.b !== ''); const bar = $('#broker'); if (bar) { bar.hidden = tick.b === ''; $('span', bar).textContent = tick.b; } }
    charts.forEach(c => c());
  };
  const say = (state, text) => { if (!pulse) return; pulse.dataset.state = state; if (pulse.textContent !== text) pulse.textContent = text; };
  const connect = () => {
    source?.close();
    source = new EventSource(feed);
    source.onmessage = e => {
      if (Date.now() - last > 4000) restarted = true;
      last = Date.now();
      apply(JSON.parse(e.data));
      if (restarted) { restarted = false; refresh(true); }
    };
  };
  // By id: an answer replaces the element.
  const dues = {};
  const refresh = all => $$('[data-every]').forEach(e => {
    const now = Date.now();
    if (all || now >= (dues[e.id] ??= now + e.dataset.every * 1000)) { dues[e.id] = now + e.dataset.every * 1000; htmx.trigger(e, 'refresh'); }
  });
  const beat = () => {
    if (paused) return say('warn', 'Paused');
    const age = Math.round((Date.now() - last) / 1000);
    body.classList.toggle('stale', age > 3);
    if (age <= 3) { say('good', 'Live'); if (!document.hidden && !$('dialog[open]')) refresh(false); }
    else { say('bad', `No data for ${age} s`); if (source.readyState === 2 || age % 15 === 0) connect(); }
  };
  if (feed && pulse) { connect(); setInterval(beat, 1000); }
  const pause = $('#pause');
  pause?.addEventListener('click', () => {
    paused = !paused;
    pause.textContent = paused ? 'Resume updates' : 'Pause updates';
    pause.setAttribute('aria-pressed', paused);
    if (paused) source.close(); else { last = Date.now(); connect(); }
    beat();
  });

  // --- theme: a cookie, so that the server renders the right one at once
  $('#theme')?.addEventListener('click', () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    document.cookie = `theme=${root.dataset.theme};path=${base || '/'};max-age=31536000;samesite=strict${location.protocol === 'https:' ? ';secure' : ''}`;
    charts.forEach(c => c(true));
  });

  // --- charts
  const colour = name => getComputedStyle(root).getPropertyValue(name).trim();
  const draw = e => {
    const live = e.dataset.chart === 'live', columns = e.dataset.columns.split(' ').map(Number), colours = e.dataset.colours.split(' ');
    const rows = () => live ? history : JSON.parse(e.closest('[data-rows]').dataset.rows);
    // Deployments: a thin line each, with the build in its title; the chart's name and the table say them too.
    const mark = u => {
      $$('.mark', u.over).forEach(m => m.remove());
      for (const [at, says] of JSON.parse(e.closest('[data-marks]')?.dataset.marks ?? '[]')) {
        const x = u.valToPos(at, 'x');
        if (!(x >= 0 && x <= u.over.clientWidth)) continue;
        const m = document.createElement('span');
        m.className = 'mark';
        m.title = says;
        m.style.left = `${x}px`;
        u.over.append(m);
      }
    };
    let plot;
    const data = () => { const r = rows(), now = r.length ? r[r.length - 1][0] : 0; return [r.map(x => live ? x[0] - now : x[0]), ...columns.map(c => r.map(x => x[c]))]; };
    const show = again => {
      if (plot && !again) return plot.setData(data());
      plot?.destroy();
      const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--hair'), width: 1 }, ticks: { show: false }, font: '11px system-ui' };
      plot = new uPlot({
        hooks: { draw: [mark] },
        width: e.clientWidth, height: 180, cursor: { show: !live, y: false }, legend: { show: false },
        scales: { x: { time: !live }, y: { range: (u, lo, hi) => [0, Math.max(hi * 1.1, 1)] } },
        axes: [{ ...axis, size: live ? 28 : 42, values: live ? (u, v) => v.map(x => x === 0 ? 'now' : `${x} s`) : undefined }, { ...axis, size: 46 }],
        series: [{}, ...columns.map((c, i) => ({ stroke: colour(`--${colours[i]}`), width: 1.5, points: { show: false }, fill: i === 0 && e.dataset.fill ? `${colour(`--${colours[i]}`)}18` : undefined }))],
      }, data(), e);
    };
    charts.push(show);
    show();
    addEventListener('resize', () => plot.setSize({ width: e.clientWidth, height: 180 }));
  };
  if (window.uPlot) $$('[data-chart]').forEach(draw);

  // --- dialogs, selection, forms
  let sent = false;
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
  const places = { o: '/', r: '/orders', f: '/failures', q: '/queues', b: '/outbox', w: '/workers', s: '/schedules', m: '/metrics-view', a: '/audit', l: '/alerts', p: '/operators', k: '/keys' };
  let g = -Infinity;
  document.addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.matches('input:not([type=checkbox]),textarea,select') || $('dialog[open]')) return;
    // By when the key was pressed, not by when a busy page came to look at it.
    if (e.timeStamp - g < 1200) {
      g = -Infinity;
      const link = places[e.key] && $(`.side a[href="${base}${places[e.key]}"]`);
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

  document.addEventListener('htmx:after:swap', () => { times(document); });
  times(document);
})();
