'use strict';
// Stands in for a page that only staff may see; after signing in that page comes.
$('form').onsubmit = async (e) => {
  e.preventDefault();
  const button = e.target.querySelector('button');
  button.disabled = true;
  try {
    await call('POST', '/session', Object.fromEntries(new FormData(e.target)));
    location.reload();
  } catch (p) {
    $('note').hidden = false;
    $('note').textContent = p.text.zh + ' ' + p.text.en;
    button.disabled = false;
  }
};
