import type { Database } from '@dialhook/engine';

/** Day partitions come and go; they are not part of the schema. */
const NOT_PARTITION = `not c.relispartition`;

/**
 * The schema as text, read from the catalogue. PostgreSQL and the embedded database must give the same, and it must be
 * what `schema.sql` holds: a migration that changes more than it meant to shows as a difference.
 */
export async function dumpSchema(database: Database): Promise<string> {
  const lines: string[] = ['-- Made by `npm run generate` from the migrations. Do not edit.', ''];
  const columns = await database.query<{ table: string; column: string; type: string; required: boolean; preset: string | null }>({
    text: `select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
                  pg_get_expr(d.adbin, d.adrelid) as preset
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
            where n.nspname = 'public' and c.relkind in ('r', 'p') and ${NOT_PARTITION}
            order by c.relname, a.attnum`,
  });
  const tables = await database.query<{ name: string; persistence: string; partition_key: string | null; options: string | null }>({
    text: `select c.relname as name, c.relpersistence as persistence, pg_get_partkeydef(c.oid) as partition_key,
                  array_to_string(c.reloptions, ', ') as options
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'public' and c.relkind in ('r', 'p') and ${NOT_PARTITION} order by c.relname`,
  });
  const constraints = await database.query<{ table: string; name: string; definition: string }>({
    text: `select c.relname as table, k.conname as name, pg_get_constraintdef(k.oid) as definition
             from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'public' and ${NOT_PARTITION} and k.contype <> 'n' order by c.relname, k.conname`,
  });
  const indexes = await database.query<{ definition: string }>({
    text: `select pg_get_indexdef(i.indexrelid) as definition
             from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'public' and ${NOT_PARTITION}
              and not exists (select from pg_constraint k where k.conindid = i.indexrelid) order by 1`,
  });
  const views = await database.query<{ name: string; definition: string }>({
    text: `select c.relname as name, pg_get_viewdef(c.oid) as definition from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'public' and c.relkind = 'v' order by 1`,
  });
  for (const table of tables) {
    const body = [
      ...columns
        .filter((column) => column.table === table.name)
        .map(
          ({ column, preset, required, type }) =>
            `${column} ${type}${required ? ' not null' : ''}${preset === null ? '' : ` default ${preset}`}`,
        ),
      ...constraints
        .filter((constraint) => constraint.table === table.name)
        .map(({ definition, name }) => `constraint ${name} ${definition}`),
    ];
    const partition = table.partition_key ? ` partition by ${table.partition_key}` : '';
    const options = table.options ? ` with (${table.options})` : '';
    const kind = table.persistence === 'u' ? 'unlogged table' : 'table';
    lines.push(`create ${kind} ${table.name} (`, body.map((line) => `  ${line}`).join(',\n'), `)${partition}${options};`, '');
  }
  for (const { definition } of indexes) lines.push(`${definition};`);
  for (const { definition, name } of views) lines.push('', `create view ${name} as`, definition);
  return `${lines.join('\n')}\n`;
}
