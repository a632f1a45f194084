// Charts: which ticks an axis has and what they say, and lines by uPlot. Times are of the viewer's zone, in 24 hours.
window.Charts = (() => {
  'use strict';
  const second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
  const lengths = [1, 2, 5, 10, 20, 50, 100, 200, 500, ...[1, 2, 5, 10, 15, 30].map(n => n * second), ...[1, 2, 5, 10, 15, 30].map(n => n * minute), ...[1, 2, 3, 6, 12].map(n => n * hour), ...[1, 2, 7, 14, 30, 90, 365].map(n => n * day)];
  const units = [[day, 'd'], [hour, 'h'], [minute, 'min'], [second, 's'], [1, 'ms']];
  const number = n => n.toLocaleString('en', { maximumFractionDigits: 6 });
  const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
  const moment = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

  // A length of time on an axis, exactly: 500 ms, 1.5 s, 75 min.
  const exact = ms => {
    if (ms === 0) return '0';
    const [size, unit] = units.find(([size]) => ms >= size && Math.abs(ms / size * 10 - Math.round(ms / size * 10)) < 1e-6) ?? [1, 'ms'];
    return `${number(Math.round(ms / size * 1000) / 1000)} ${unit}`;
  };
  // A length of time that was measured, as the pages write it: 42 ms, 3.1 s, 6 min.
  const rounded = ms => ms < 999.5 ? `${Math.round(ms)} ms` : ms < 9950 ? `${(ms / second).toFixed(1)} s` : ms < 119500 ? `${Math.round(ms / second)} s`
    : ms < 90 * minute ? `${Math.round(ms / minute)} min` : ms < 2 * day ? `${(ms / hour).toFixed(1)} h` : `${Math.round(ms / day)} d`;
  const value = (n, unit) => n == null ? '—' : unit === 'ms' ? rounded(n) : `${number(Math.round(n * 100) / 100)}${unit}`;

  // From 0 to the first tick that no value exceeds, in steps that people count in, at most so many.
  const valueTicks = (top, unit, most) => {
    let step;
    if (unit === 'ms') { top ||= 100; step = lengths.find(l => top / l <= most) ?? 365 * day * Math.ceil(top / (365 * day) / most); }
    else {
      top ||= 1;
      const ten = 10 ** Math.floor(Math.log10(top / most));
      step = ten * [1, 2, 5, 10].find(n => top / (ten * n) <= most * (1 + 1e-9));
    }
    const count = Math.ceil(top / step - 1e-9), at = Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
    return { at, texts: at.map(t => t === 0 ? '0' : unit === 'ms' ? exact(t) : `${number(t)}${unit}`) };
  };
  // Round times of the viewer's clock; a day's name where it begins.
  const timeTicks = (from, until, most) => {
    const step = lengths.find(l => l >= minute && (until - from) / l <= most) ?? 365 * day, at = [], start = new Date(from * 1);
    for (let i = 0; ; i++) {
      const t = (step < day
        ? new Date(start.getFullYear(), start.getMonth(), start.getDate(), 0, i * step / minute)
        : new Date(start.getFullYear(), start.getMonth(), start.getDate() + i * step / day)).getTime();
      if (t > until) break;
      // When clocks are set back or forward, two of them may be one.
      if (t >= from && t > (at.at(-1) ?? -Infinity)) at.push(t);
    }
    return { at, texts: at.map(t => { const d = new Date(t); return step >= day || (d.getHours() === 0 && d.getMinutes() === 0) ? date.format(d) : clock.format(d); }) };
  };
  // How long ago, for an axis that ends now.
  const agoTicks = (span, most) => {
    const step = lengths.find(l => span / l <= most), at = [];
    for (let t = Math.floor(span / step) * step; t >= 0; t -= step) at.push(-t);
    return { at: at.map(t => t || 0), texts: at.map(t => t ? `−${exact(-t)}` : 'now') };
  };

  const font = '11px system-ui', height = 180;
  const ruler = document.createElement('canvas').getContext('2d');
  const widest = texts => { ruler.font = font; return Math.max(0, ...texts.map(t => ruler.measureText(t).width)); };
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dashes = [[], [6, 3], [2, 2]];

  // Draws what the element says: data-columns of the rows, data-names and data-colours of the lines, data-unit of the
  // values, data-span of an axis that ends now or data-from and data-until of one that does not, all in seconds.
  const draw = (e, rows, marks = []) => {
    const { unit } = e.dataset, span = Number(e.dataset.span), columns = e.dataset.columns.split(' ').map(Number), names = e.dataset.names.split('|'), colours = e.dataset.colours.split(' '), label = e.getAttribute('aria-label');
    const tip = document.createElement('div');
    tip.className = 'tip';
    tip.hidden = true;
    let plot, x, y, from, until, left, right, now, width, described = -Infinity;
    const data = () => {
      const all = rows();
      now = all.length ? all[all.length - 1][0] : 0;
      [from, until] = span ? [now - span, now] : [Number(e.dataset.from), Number(e.dataset.until)];
      const seen = all.filter(r => r[0] >= from && r[0] <= until), values = columns.flatMap(c => seen.map(r => r[c])).filter(v => v != null);
      const fit = Math.max(2, Math.floor((e.clientWidth - 60) / 64));
      x = span ? agoTicks(span * second, Math.min(fit, 5)) : timeTicks(from * second, until * second, fit);
      y = valueTicks(values.reduce((a, b) => Math.max(a, b), 0), unit, 5);
      // Half a label hangs over an end of the axis.
      left = Math.ceil(Math.max(widest(y.texts) + 12, widest(x.texts.slice(0, 1)) / 2 + 2));
      right = Math.ceil(widest(x.texts.slice(-1)) / 2 + 4);
      describe(seen);
      return [seen.map(r => r[0]), ...columns.map(c => seen.map(r => r[c]))];
    };
    // The chart in words, for those who do not see it.
    const describe = seen => {
      if (performance.now() - described < 5000) return;
      if (seen.length) described = performance.now();
      const says = columns.map((c, i) => { const of = seen.map(r => r[c]).filter(v => v != null); return of.length ? `${names[i]}: last ${value(of.at(-1), unit)}, highest ${value(Math.max(...of), unit)}` : `${names[i]}: no value`; });
      const deployed = marks.slice(-5).map(([at, text]) => text.split(': ')[0].replace('{at}', moment.format(new Date(at * second))));
      e.setAttribute('aria-label', `${label} ${says.join('; ')}.${deployed.length ? ` Deployments: ${deployed.join(', ')}.` : ''}`);
    };
    const mark = u => {
      u.over.querySelectorAll('.mark').forEach(m => m.remove());
      for (const [at, says] of marks) {
        const place = u.valToPos(at, 'x');
        if (!(place >= 0 && place <= u.over.clientWidth)) continue;
        const m = document.createElement('span');
        m.className = 'mark';
        m.title = says.replace('{at}', moment.format(new Date(at * second)));
        m.style.left = `${place}px`;
        u.over.append(m);
      }
    };
    const point = u => {
      const i = u.cursor.idx;
      tip.hidden = i == null;
      if (i == null) return;
      tip.textContent = [moment.format(new Date(u.data[0][i] * second)), ...names.map((n, s) => `${n} ${value(u.data[s + 1][i], unit)}`)].join('\n');
      const place = u.valToPos(u.data[0][i], 'x'), leftHalf = place < u.over.clientWidth / 2;
      tip.style.left = leftHalf ? `${place + 10}px` : '';
      tip.style.right = leftHalf ? '' : `${u.over.clientWidth - place + 10}px`;
    };
    const show = again => {
      if (plot && !again) return plot.setData(data());
      plot?.destroy();
      width = e.clientWidth;
      const first = data(), axis = { stroke: css('--quiet'), grid: { stroke: css('--hair'), width: 1 }, ticks: { show: false }, font };
      plot = new uPlot({
        hooks: { draw: [mark], setCursor: [point], ready: [u => u.over.append(tip)] },
        width, height, legend: { show: false }, padding: [10, () => right, 0, 0],
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
        scales: { x: { time: false, range: () => [from, until] }, y: { range: () => [0, y.at.at(-1)] } },
        axes: [
          { ...axis, size: 26, gap: 6, splits: () => x.at.map(t => span ? now + t / second : t / second), values: () => x.texts },
          { ...axis, size: () => left, gap: 6, splits: () => y.at, values: () => y.texts },
        ],
        series: [{}, ...columns.map((c, i) => ({ stroke: css(`--${colours[i]}`), width: 1.5, dash: dashes[i], points: { show: false }, fill: i === 0 && e.dataset.fill ? `${css(`--${colours[i]}`)}18` : undefined }))],
      }, first, e);
    };
    show();
    addEventListener('resize', () => { if (e.clientWidth !== width) show(true); });
    return show;
  };
  return { exact, rounded, value, valueTicks, timeTicks, agoTicks, draw };
})();
