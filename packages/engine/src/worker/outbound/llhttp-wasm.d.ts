/** llhttp as undici ships it: the bytes of a WebAssembly module. */
declare module 'undici/lib/llhttp/llhttp-wasm.js' {
  const bytes: Buffer;
  export default bytes;
}
