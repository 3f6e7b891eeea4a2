import t from 'tap';
import { cacheFolder } from '../../lib/toolkit/host/cache-folder.js';

t.test('the cache is where the user says, else where the system keeps caches', async (t) => {
  t.equal(cacheFolder({ BAKE_CACHE_DIR: '/mine', XDG_CACHE_HOME: '/xdg' }, 'linux', '/home/me'), '/mine');
  t.equal(cacheFolder({ XDG_CACHE_HOME: '/xdg' }, 'linux', '/home/me'), '/xdg/bake');
  t.equal(cacheFolder({}, 'linux', '/home/me'), '/home/me/.cache/bake');
  t.equal(cacheFolder({}, 'darwin', '/Users/me'), '/Users/me/Library/Caches/bake');
  t.match(cacheFolder({ LOCALAPPDATA: 'C:\\Local' }, 'win32', 'C:\\me'), /^C:\\Local.bake.cache$/);
});

t.test('a variable that is set to nothing is not set', async (t) => {
  t.equal(cacheFolder({ BAKE_CACHE_DIR: '', XDG_CACHE_HOME: '' }, 'linux', '/home/me'), '/home/me/.cache/bake');
});

t.test('a relative folder means one place, whatever the project', async (t) => {
  t.match(cacheFolder({ BAKE_CACHE_DIR: 'here' }, 'linux', '/home/me'), /^\/.*\/here$/);
  t.equal(cacheFolder({ XDG_CACHE_HOME: 'not-absolute' }, 'linux', '/home/me'), '/home/me/.cache/bake', 'the XDG specification: relative paths are invalid');
});
