import { scan } from './scan.ts';
import { processList } from './process.ts';
let t = performance.now();
await scan({ type: 'scan', format: 'csv', inputPath: '/tmp/list2.csv', stagedPath: '/tmp/st', originalPath: null, phoneColumn: 'phone' });
console.log('scan', performance.now() - t);
t = performance.now();
await processList({ type: 'process', stagedPath: '/tmp/st', processedPath: '/tmp/p1', filteredPath: '/tmp/p2' }, async () => null);
console.log('process', performance.now() - t);
