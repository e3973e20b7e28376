import { Refused } from './client.ts';

/** Sends a file and tells how far it is, from 0 to 1: `fetch` cannot say that, so this is the one place without it. */
export function upload<T>(path: string, file: File, onProgress: (share: number) => void): Promise<T> {
  const { promise, reject, resolve } = Promise.withResolvers<T>();
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append('file', file);
  request.open('POST', path);
  request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0));
  request.addEventListener('error', () => reject(new Error('The server cannot be reached.')));
  request.addEventListener('load', () => {
    const body: unknown = request.responseText === '' ? {} : JSON.parse(request.responseText);
    if (request.status < 300) resolve(body as T);
    else reject(new Refused(request.status, body as object));
  });
  request.send(form);
  return promise;
}
