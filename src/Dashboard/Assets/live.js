// The one stream of live figures that a browser has for a session. It runs as a shared worker, named after the address
// of the stream: pages of one session share it, pages of another session have their own. A browser without shared
// workers gives each page a worker of its own. The stream is open while somebody sees one of the pages.
(() => {
  'use strict';
  const patience = 15000, forgotten = 30000, linger = 2000, fresh = 3000;
  const pages = new Map();
  // Not the clock, which may be set back.
  const elapsed = () => performance.now();
  let known, open, over, timer, heard = 0, told = 0, again = 0, watched = 0;

  // What a page that comes later is told first: all that the stream has said.
  const learn = ({ v, s, d, h, p, ...rest }) => {
    known ??= { v: {}, s: {}, d: {} };
    if (h) known.d = {};
    Object.assign(known.v, v);
    Object.assign(known.s, s);
    Object.assign(known, rest);
    for (const [name, depth] of Object.entries(d ?? {})) known.d[name] = [...(known.d[name] ?? []), ...[].concat(depth)].slice(-60);
    if (h) known.h = h;
    if (p) known.h = [...(known.h ?? []).filter(row => row[0] < p[0] && row[0] >= p[0] - 120), p];
  };
  const some = (all, names) => all && Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  // What the page shows of it.
  const part = ({ v, s, d, h, p, ...rest }, { keys, sparks, charts }) => ({ ...rest, all: !!h, v: some(v, keys), s: some(s, keys), d: some(d, sparks), ...(charts && { h, p }) });
  const tell = says => { told = elapsed(); pages.forEach((page, port) => port.postMessage(says)); };
  const begin = (page, port) => { port.postMessage({ tick: part(known, page) }); page.begun = true; };

  const hear = tick => {
    heard = told = elapsed();
    learn(tick);
    pages.forEach((page, port) => { if (page.begun) port.postMessage({ tick: part(tick, page) }); else begin(page, port); });
  };
  const read = async body => {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = '', end; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (text += value; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2))
        if (text.startsWith('data: ')) hear(JSON.parse(text.slice(6, end)));
    }
  };
  const connect = async () => {
    const mine = open = new AbortController();
    let wait = 500 + 1000 * Math.random();
    heard = elapsed();
    known = undefined;
    try {
      const answer = await fetch(self.name, { signal: mine.signal, cache: 'no-store' });
      // Without the session there is nothing to come back to: a new login has another address.
      if (answer.status === 401 || answer.status === 409) over = answer.status === 401 ? 'ended' : 'other';
      else if (answer.ok) await read(answer.body);
      else wait = 1000 * Math.min(30, Math.max(1, Number(answer.headers.get('Retry-After')) || 1)) + 500 * Math.random();
    } catch (fault) {
      // The server is away, or nobody looks any more; anything else is a fault of this script.
      if (!(fault instanceof TypeError) && fault.name !== 'AbortError') throw fault;
    } finally {
      if (open === mine) { open = undefined; again = elapsed() + wait; }
    }
    if (over) tell({ over });
  };
  const look = () => {
    const now = elapsed();
    // A page that crashed has not said so.
    pages.forEach((page, port) => { if (now - page.at > forgotten) pages.delete(port); });
    if (pages.size) watched = now;
    if (open && (now - watched > linger || now - heard > patience)) { open.abort(); open = undefined; }
    if (!open && !over && pages.size && now >= again) connect();
    if (now - told > fresh) tell({});
    if (!open && !pages.size) timer = clearInterval(timer);
  };
  // A page says what it shows, every few seconds; or nothing, when it is hidden or left.
  const join = port => {
    port.onmessage = ({ data }) => {
      if (!data) { pages.delete(port); return; }
      const said = JSON.stringify(data), before = pages.get(port), page = { ...data, said, at: elapsed(), begun: before?.said === said && before.begun };
      pages.set(port, page);
      // Somebody has come back: the answer may be another one now.
      if (over && !before) over = undefined;
      if (over) port.postMessage({ over });
      else if (!page.begun && known && elapsed() - heard < fresh) begin(page, port);
      timer ??= setInterval(look, 1000);
      look();
    };
  };
  if ('onconnect' in self) self.onconnect = e => join(e.ports[0]); else join(self);
})();
