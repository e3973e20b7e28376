#!/usr/bin/env node
import { useCompileCache } from './compile-cache.ts';

useCompileCache(process.env);
await import('./program.ts');
