import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Files below this size are as fast without. */
const LEAST_BYTES = 1_024;

/** Compresses once, when the panel is built, what every browser would otherwise have compressed anew. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    writeBundle: ({ dir }) => {
      for (const file of readdirSync(dir!, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(js|css|svg|html)$/.test(file)) continue;
        const content = readFileSync(join(dir!, file));
        if (content.length < LEAST_BYTES) continue;
        writeFileSync(join(dir!, `${file}.gz`), gzipSync(content, { level: 9 }));
        writeFileSync(join(dir!, `${file}.br`), brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed()],
  // With `vite` for working on the panel, the server runs beside it, and takes changes from pages at its own address alone.
  server: { proxy: { '/panel': { target: 'http://127.0.0.1:8400', headers: { origin: 'http://127.0.0.1:8400' } } } },
  build: { target: 'es2023', chunkSizeWarningLimit: 900 },
});
