import { System } from './system.ts';
const [database, nodes, fanOut, batch, connections, window] = process.argv.slice(2) as [any, string, string, string, string, string];
if (process.env.PROF) process.env.NODE_OPTIONS = process.env.PROF;
const system = await System.start({ database, nodes: Number(nodes), fanOut: Number(fanOut) });
delete process.env.NODE_OPTIONS;
const { execSync } = await import('node:child_process');
if (process.env.TOP) setTimeout(() => console.log(execSync('top -b -n 1 -d 1 | head -20 | tail -14').toString()), 5000);
try {
  console.log(
    JSON.stringify(
      await system.load({
        batch: Number(batch),
        connections: Number(connections),
        warmUpMs: 3000,
        measureMs: 5000,
        window: Number(window),
      }),
    ),
  );
} finally {
  await system.stop();
}
