'use strict';
fetch('/pages.json')
  .then((r) => r.json())
  .then((p) => {
    const page = (href, zh, en) => h('li', {}, h('a', { href }, zh, h('span', { className: 'dim', lang: 'en' }, en)));
    const kiosk = (k) => page('/kiosk/' + encodeURIComponent(k), '取号机 ' + k, 'Kiosk');
    const wall = (w) => page('/wall/' + encodeURIComponent(w) + '/', '大屏 ' + w, 'Wall');
    show(
      $('main'),
      h('h1', {}, p.name.zh),
      h('p', { className: 'dim', lang: 'en' }, p.name.en || ''),
      h('h2', {}, '取号 Tickets'),
      h('ul', { className: 'links' }, p.kiosks.sort().map(kiosk)),
      p.walls.length ? h('h2', {}, '大屏 Walls') : null,
      h('ul', { className: 'links' }, p.walls.map(wall)),
      h('h2', {}, '工作人员 Staff'),
      h(
        'ul',
        { className: 'links' },
        page('/console', '窗口叫号', 'Clerk console'),
        page('/technician/box/', '设备维护', 'Technician'),
        page('/api/v1/docs', '接口文档', 'API documentation'),
      ),
    );
  });
