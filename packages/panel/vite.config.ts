import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // With `npm run dev` the server runs beside it.
  server: { proxy: { '/panel': { target: 'http://127.0.0.1:8400', changeOrigin: false } } },
  build: { target: 'es2023', chunkSizeWarningLimit: 900 },
});
