import { Badge, Button, Group, Modal, Select, Stack, Switch, Tabs, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { call, queryClient, useCall } from '../api/client.ts';
import { CursorPager, DataTable } from '../parts/DataTable.tsx';
import { notifyError } from '../parts/notify.ts';
import { Empty, ErrorNote, Loaded, Page } from '../parts/Page.tsx';
import { useOrganization } from '../session.ts';
import { textOf } from '../parts/form.ts';

type Row = Record<string, unknown>;
type Table = 'campaigns' | 'dispos' | 'anis';

interface Field {
  readonly name: string;
  readonly label: string;
  readonly options?: readonly string[];
  readonly isSwitch?: boolean;
  readonly optional?: boolean;
}
/** The fields of each table, the key first (contracts/outboundiq.md 3). */
const TABLES: Record<Table, { readonly title: string; readonly text: string; readonly fields: readonly Field[] }> = {
  campaigns: {
    title: 'Campaigns',
    text: 'What a campaign’s id means: the name that webhooks carry.',
    fields: [
      { name: 'id', label: 'Id' },
      { name: 'name', label: 'Name' },
      { name: 'type', label: 'Type', options: ['Inbound', 'Outbound', 'Blended'] },
      { name: 'inbound_pool_id', label: 'Inbound pool', optional: true },
    ],
  },
  dispos: {
    title: 'Dispositions',
    text: 'What a disposition means: whether somebody was reached, and whether it was a success.',
    fields: [
      { name: 'id', label: 'Id' },
      { name: 'name', label: 'Name' },
      { name: 'type', label: 'Type', options: ['System', 'Agent'] },
      { name: 'contact', label: 'Contact', isSwitch: true },
      { name: 'success', label: 'Success', isSwitch: true },
    ],
  },
  anis: {
    title: 'Numbers',
    text: 'The numbers that calls come from.',
    fields: [
      { name: 'number', label: 'Number' },
      { name: 'country_code', label: 'Country', options: ['+1', '+44'] },
      { name: 'inbound_group_id', label: 'Inbound group' },
      { name: 'brand_name', label: 'Brand', optional: true },
    ],
  },
};

/** The tables by which dials are cleaned. */
export function TranslationsPage() {
  const [table, setTable] = useState<Table>('campaigns');
  return (
    <Page title="Translations" subtitle="What the dialer means by its ids. A change applies from the next dial that is cleaned.">
      <Tabs value={table} onChange={(value) => setTable((value ?? 'campaigns') as Table)}>
        <Tabs.List>
          {(Object.keys(TABLES) as Table[]).map((name) => (
            <Tabs.Tab key={name} value={name}>
              {TABLES[name].title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={table} pt="sm">
          <Rows key={table} table={table} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Rows({ table }: { readonly table: Table }) {
  const { slug } = useOrganization();
  const { fields, text } = TABLES[table];
  const [key] = fields;
  const [trail, setTrail] = useState<string[]>([]);
  const [editing, setEditing] = useState<Row | 'new' | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const query = useCall(
    'GET /panel/organizations/{slug}/translations/{table}',
    { params: { slug, table }, query: { limit: 50, ...(trail.length > 0 && { cursor: trail.at(-1)! }) } },
    { keep: true },
  );
  const params = { slug };
  const change = async (method: 'POST' | 'PUT' | 'DELETE', body: Row) => {
    await call(`${method} /panel/organizations/{slug}/outboundiq/custom/${table}`, { params, body } as never);
    await queryClient.invalidateQueries();
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body: Row = {};
    for (const { isSwitch, name, optional } of fields) {
      const value = textOf(form, name);
      if (isSwitch) body[name] = value === 'on';
      else if (value !== '' || !optional) body[name] = value;
    }
    if (editing !== 'new') body[key!.name] = editing![key!.name];
    change(editing === 'new' ? 'POST' : 'PUT', body).then(() => setEditing(null), setError);
  };
  const open = (row: Row | 'new') => {
    setError(null);
    setEditing(row);
  };
  return (
    <Stack>
      <Group justify="space-between">
        <span>{text}</span>
        <Button size="xs" onClick={() => open('new')}>
          Add
        </Button>
      </Group>
      <Loaded query={query}>
        {({ data, next_cursor: next }) =>
          data.length === 0 ? (
            <Empty title="This table is empty">Dials go out with the names that the dialer sent.</Empty>
          ) : (
            <DataTable
              label={TABLES[table].title}
              rows={data}
              keyOf={(row) => String(row[key!.name])}
              columns={[
                ...fields.map(({ isSwitch, label, name }) => ({
                  title: label,
                  show: (row: Row) =>
                    isSwitch ? (
                      <Badge color={row[name] ? 'teal' : 'gray'} variant="light" tt="none">
                        {row[name] ? 'yes' : 'no'}
                      </Badge>
                    ) : (
                      ((row[name] as string | null) ?? '–')
                    ),
                })),
                {
                  title: '',
                  right: true,
                  show: (row: Row) => (
                    <Group gap={4} justify="flex-end" wrap="nowrap">
                      <Button size="compact-xs" variant="subtle" onClick={() => open(row)}>
                        Edit
                      </Button>
                      <Button
                        size="compact-xs"
                        variant="subtle"
                        color="red"
                        onClick={() => void change('DELETE', { [key!.name]: row[key!.name] }).catch(notifyError)}
                      >
                        Delete
                      </Button>
                    </Group>
                  ),
                },
              ]}
              pager={<CursorPager trail={trail} next={next} onGo={setTrail} />}
            />
          )
        }
      </Loaded>
      <Modal opened={editing !== null} onClose={() => setEditing(null)} title={editing === 'new' ? 'Add a row' : 'Change the row'}>
        <form onSubmit={submit}>
          <Stack>
            {error && <ErrorNote error={error} />}
            {editing !== null &&
              fields.map((field, index) => (
                <Input
                  key={field.name}
                  field={field}
                  value={editing === 'new' ? undefined : editing[field.name]}
                  isFixed={index === 0 && editing !== 'new'}
                />
              ))}
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setEditing(null)}>
                Cancel
              </Button>
              <Button type="submit">Save</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </Stack>
  );
}

function Input({ field, isFixed, value }: { readonly field: Field; readonly value: unknown; readonly isFixed: boolean }) {
  const { isSwitch, label, name, optional, options } = field;
  if (isSwitch) return <Switch name={name} label={label} defaultChecked={value === true} />;
  if (options)
    return (
      <Select
        name={name}
        label={label}
        data={[...options]}
        defaultValue={typeof value === 'string' ? value : options[0]!}
        allowDeselect={false}
      />
    );
  return (
    <TextInput name={name} label={label} required={!optional} disabled={isFixed} defaultValue={typeof value === 'string' ? value : ''} />
  );
}
