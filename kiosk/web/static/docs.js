'use strict';
// Renders the OpenAPI document without anything from outside.
fetch('/api/v1/openapi.json')
  .then((r) => r.json())
  .then((d) => show($('main'), page(d)));

// typeOf names a schema in a word or two.
function typeOf(s) {
  if (!s) return '';
  if (s.$ref) return s.$ref.split('/').pop();
  const types = [].concat(s.type || 'any').filter((t) => t !== 'null');
  return types[0] === 'array' ? typeOf(s.items) + '[]' : types.join(' | ');
}

function row(name, s, required) {
  return h(
    'tr',
    {},
    h('td', {}, h('code', {}, name)),
    h('td', {}, typeOf(s) + (required ? ' *' : '')),
    h('td', { className: 'dim' }, s.description || (s.enum || []).join(', ')),
  );
}

function operation(path, method, o) {
  const parameters = (o.parameters || []).map((p) => row(`${p.in} ${p.name}`, { ...p.schema, description: p.description }, p.required));
  const body = o.requestBody ? row('body', o.requestBody.content['application/json'].schema, o.requestBody.required) : null;
  const answers = Object.entries(o.responses).map(([code, r]) => row('→ ' + code, Object.values(r.content || { x: {} })[0].schema || {}, false));
  return h(
    'section',
    { className: 'slab' },
    h('p', { className: 'op' }, h('span', { className: 'method ' + method }, method.toUpperCase()), h('code', {}, path)),
    h('p', {}, o.summary || '', o.security ? h('span', { className: 'dim' }, ' · sign in') : null),
    h('table', {}, parameters, body, answers),
  );
}

function type(name, s) {
  const fields = Object.entries(s.properties || {}).map(([k, p]) => row(k, p, (s.required || []).includes(k)));
  return h('section', { className: 'slab' }, h('p', { className: 'big' }, name), h('table', {}, fields));
}

function page(d) {
  return [
    h('h1', {}, d.info.title),
    h('p', {}, d.info.description),
    h('p', {}, h('a', { href: '/api/v1/openapi.json' }, 'openapi.json')),
    h('h2', {}, 'Operations'),
    Object.entries(d.paths).flatMap(([path, methods]) => Object.entries(methods).map(([m, o]) => operation(path, m, o))),
    h('h2', {}, 'Types'),
    Object.entries(d.components.schemas).map(([n, s]) => type(n, s)),
  ];
}
