import { Button, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useAct, useCall } from '../api/client.ts';
import { DataTable, NumberPager } from '../parts/DataTable.tsx';
import { Empty, ErrorNote, Loaded, Page } from '../parts/Page.tsx';
import { StatusBadge } from '../parts/StatusBadge.tsx';
import { Time } from '../parts/Time.tsx';
import { useOrganization } from '../session.ts';
import { textOf } from '../parts/form.ts';

export function WorkflowsPage() {
  const { slug } = useOrganization();
  const navigate = useNavigate();
  const [page, setPage] = useState(1);
  const [isNew, setNew] = useState(false);
  const query = useCall(
    'GET /panel/organizations/{slug}/dialnexa/workflows',
    { params: { slug }, query: { page, limit: 25 } },
    { keep: true },
  );
  const create = useAct('POST /panel/organizations/{slug}/dialnexa/workflows');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { title: textOf(form, 'title'), description: textOf(form, 'description') };
    create.mutate(
      { params: { slug }, body },
      { onSuccess: ({ id }) => void navigate({ to: '/o/$slug/workflows/$id', params: { slug, id } }) },
    );
  };
  return (
    <Page
      title="Workflows"
      subtitle="Graphs that leads walk: calls, waits, conditions, your application."
      actions={<Button onClick={() => (create.reset(), setNew(true))}>New workflow</Button>}
    >
      <Loaded query={query}>
        {({ data, meta }) =>
          data.length === 0 ? (
            <Empty title="No workflows yet">Make one, add its nodes and edges, then activate it.</Empty>
          ) : (
            <DataTable
              label="Workflows"
              rows={data}
              keyOf={({ id }) => id}
              onOpen={({ id }) => void navigate({ to: '/o/$slug/workflows/$id', params: { slug, id } })}
              columns={[
                {
                  title: 'Title',
                  show: (row) => (
                    <Link to="/o/$slug/workflows/$id" params={{ slug, id: row.id }}>
                      {row.title}
                    </Link>
                  ),
                },
                { title: 'Status', show: (row) => <StatusBadge status={row.status} /> },
                { title: 'Description', show: (row) => row.description || '–' },
                { title: 'Changed', show: (row) => <Time at={row.updated_at} ago /> },
              ]}
              pager={<NumberPager page={page} totalPages={meta.totalPages} onGo={setPage} />}
            />
          )
        }
      </Loaded>
      <Modal opened={isNew} onClose={() => setNew(false)} title="New workflow">
        <form onSubmit={submit}>
          <Stack>
            {create.error && <ErrorNote error={create.error} />}
            <TextInput label="Title" name="title" required data-autofocus />
            <Textarea label="Description" name="description" />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setNew(false)}>
                Cancel
              </Button>
              <Button type="submit" loading={create.isPending}>
                Create
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </Page>
  );
}
