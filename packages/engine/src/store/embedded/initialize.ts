// Runs as a process of its own: creates the embedded database in the directory that is named, and ends.
import { openDirectory } from './open-directory.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: initialize.ts <directory>');
const db = await openDirectory(directory);
await db.close();
