'use strict';
// While the hall's program is away, a page that is opened or reloaded would be an
// error page of the browser. This worker answers instead, and the page comes back
// as soon as the hall does. It keeps nothing and touches no other request.
const sorry = `<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>请稍候</title>
<style>
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; gap: 1rem; padding: 2rem;
    text-align: center; font-family: sans-serif; background: #eef1f8; color: #111c33 }
  h1 { margin: 0; font-size: clamp(28px, 5vmin, 72px) }
  p { margin: 0; font-size: clamp(20px, 3vmin, 40px); color: #46536b }
</style>
<h1>系统正在恢复，请稍候</h1>
<p lang="en">One moment, please: the system is coming back.</p>
<script>
  setInterval(async () => {
    try {
      if ((await fetch('/healthz', { cache: 'no-store' })).ok) location.reload();
    } catch {}
  }, 2000);
</script>
</html>`;

addEventListener('install', () => skipWaiting());
addEventListener('activate', (e) => e.waitUntil(clients.claim()));
addEventListener('fetch', (e) => {
  if (e.request.mode !== 'navigate') return;
  const away = () => new Response(sorry, { status: 503, headers: { 'Content-Type': 'text/html; charset=utf-8' } });
  e.respondWith(fetch(e.request).catch(away));
});
