import { Box, Button, FileButton, Group, JsonInput, Modal, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useAct, useCall, type Answer } from '../api/client.ts';
import { DataTable, NumberPager } from '../parts/DataTable.tsx';
import { Graph } from '../parts/Graph.tsx';
import { notify, notifyError } from '../parts/notify.ts';
import { Empty, ErrorNote, Loaded, Page } from '../parts/Page.tsx';
import { StatusBadge } from '../parts/StatusBadge.tsx';
import { Time } from '../parts/Time.tsx';
import { useOrganization } from '../session.ts';
import { textOf } from '../parts/form.ts';

type Node = Answer<'GET /panel/organizations/{slug}/dialnexa/workflows/{id}/nodes'>['data'][number];

const REFRESH_MS = 2_000;
const NODE_TYPES = ['VOICE_CALL', 'TIME', 'CONDITIONAL', 'APPLICATION', 'CONVERTED', 'DROPPED'];
/** What the config of a new node begins with. */
const SAMPLES: Record<string, object> = {
  VOICE_CALL: { agent_id: 'agt_1', from_phone_number: '+442079460001' },
  TIME: { delay_hours: 24 },
  CONDITIONAL: { condition_field: 'plan', branches: ['pro', 'free'] },
  APPLICATION: { action: 'create_deal' },
};

/** One workflow as a drawn graph with the leads at each node, and what can be done with it. */
export function WorkflowPage() {
  const { slug } = useOrganization();
  const { id } = useParams({ from: '/o/$slug/workflows/$id' });
  const navigate = useNavigate();
  const params = { slug, id };
  const base = '/panel/organizations/{slug}/dialnexa/workflows/{id}';
  const query = useCall(`GET ${base}`, { params }, { everyMs: REFRESH_MS });
  const nodes = useCall(`GET ${base}/nodes`, { params });
  const edges = useCall(`GET ${base}/edges`, { params });
  const counts = useCall(
    'GET /panel/organizations/{slug}/workflows/{workflow_id}/counts',
    { params: { slug, workflow_id: id } },
    { everyMs: REFRESH_MS },
  );
  const [page, setPage] = useState(1);
  const leads = useCall(`GET ${base}/leads`, { params, query: { page, limit: 25 } }, { everyMs: REFRESH_MS, keep: true });
  const verbs = {
    activate: useAct(`POST ${base}/activate`),
    pause: useAct(`POST ${base}/pause`),
    resume: useAct(`POST ${base}/resume`),
    cancel: useAct(`POST ${base}/cancel`),
  };
  const duplicate = useAct(`POST ${base}/duplicate`);
  const enrol = useAct(`POST ${base}/leads`);
  const [adds, setAdds] = useState<'node' | 'edge' | null>(null);
  const [open, setOpen] = useState<Node | null>(null);
  const workflow = query.data;
  const isOver = workflow?.status === 'cancelled' || workflow?.status === 'completed';
  const error = verbs.activate.error ?? enrol.error;
  const act = (verb: keyof typeof verbs) =>
    verbs[verb].mutate({ params }, { onError: (failure) => verb !== 'activate' && notifyError(failure) });
  const send = (file: File | null) => {
    if (file === null) return;
    const form = new FormData();
    form.append('file', file);
    enrol.mutate({ params, body: form }, { onSuccess: ({ message }) => notify(message) });
  };
  return (
    <Page
      title={workflow?.title ?? 'Workflow'}
      subtitle={
        workflow && (
          <Group gap="xs">
            <StatusBadge status={workflow.status} />
            {workflow.description}
          </Group>
        )
      }
      actions={
        workflow && (
          <>
            {!isOver && (
              <FileButton onChange={send} accept=".csv,.xlsx,text/csv" inputProps={{ 'aria-label': 'File of leads' }}>
                {(props) => (
                  <Button {...props} variant="default" loading={enrol.isPending}>
                    Enrol leads
                  </Button>
                )}
              </FileButton>
            )}
            {workflow.status === 'draft' && (
              <Button loading={verbs.activate.isPending} onClick={() => act('activate')}>
                Activate
              </Button>
            )}
            {workflow.status === 'active' && (
              <Button loading={verbs.pause.isPending} onClick={() => act('pause')}>
                Pause
              </Button>
            )}
            {workflow.status === 'paused' && (
              <Button loading={verbs.resume.isPending} onClick={() => act('resume')}>
                Resume
              </Button>
            )}
            <Button
              variant="default"
              loading={duplicate.isPending}
              onClick={() =>
                duplicate.mutate(
                  { params },
                  {
                    onError: notifyError,
                    onSuccess: (copy) => void navigate({ to: '/o/$slug/workflows/$id', params: { slug, id: copy.id } }),
                  },
                )
              }
            >
              Duplicate
            </Button>
            {!isOver && (
              <Button variant="subtle" color="red" onClick={() => act('cancel')}>
                Cancel
              </Button>
            )}
          </>
        )
      }
    >
      {error && <ErrorNote error={error} />}
      <Box className="panel-card">
        <Group justify="space-between" mb="sm">
          <Title order={2} size="h5">
            Graph
          </Title>
          {!isOver && (
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={() => setAdds('node')}>
                Add a node
              </Button>
              <Button size="xs" variant="default" disabled={(nodes.data?.data.length ?? 0) < 2} onClick={() => setAdds('edge')}>
                Add an edge
              </Button>
            </Group>
          )}
        </Group>
        <Loaded query={nodes}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title="No nodes yet">A lead begins at the only node that nothing leads to.</Empty>
            ) : (
              <Graph
                nodes={data}
                edges={edges.data?.data ?? []}
                counts={new Map((counts.data?.data ?? []).map((one) => [one.node_id, one.count]))}
                onOpen={setOpen}
              />
            )
          }
        </Loaded>
      </Box>
      <Title order={2} size="h5">
        Leads
      </Title>
      <Loaded query={leads}>
        {({ data, meta }) =>
          data.length === 0 ? (
            <Empty title="No leads yet" command={`printf 'phone_number,plan\\n+447700900123,pro\\n' > leads.csv`}>
              Enrol a CSV or an XLSX file with a column phone_number.
            </Empty>
          ) : (
            <DataTable
              label="Leads"
              rows={data}
              keyOf={(row) => row.id}
              columns={[
                { title: 'Phone', show: (row) => <span className="panel-mono">{row.phone_number}</span> },
                { title: 'Status', show: (row) => <StatusBadge status={row.status} /> },
                { title: 'At', show: (row) => nodes.data?.data.find((node) => node.id === row.current_node_id)?.label ?? '–' },
                { title: 'Outcome', show: (row) => row.outcome ?? '–' },
                { title: 'Enrolled', show: (row) => <Time at={row.enrolled_at} ago /> },
              ]}
              pager={<NumberPager page={page} totalPages={meta.totalPages} onGo={setPage} />}
            />
          )
        }
      </Loaded>
      <NodeForm
        key={`n${adds}${open?.id}`}
        isOpen={adds === 'node' || open !== null}
        node={open}
        onClose={() => (setAdds(null), setOpen(null))}
      />
      <EdgeForm key={`e${adds}`} isOpen={adds === 'edge'} nodes={nodes.data?.data ?? []} onClose={() => setAdds(null)} />
    </Page>
  );
}

function NodeForm({ isOpen, node, onClose }: { readonly isOpen: boolean; readonly node: Node | null; readonly onClose: () => void }) {
  const { slug } = useOrganization();
  const { id } = useParams({ from: '/o/$slug/workflows/$id' });
  const create = useAct('POST /panel/organizations/{slug}/dialnexa/workflows/{id}/nodes');
  const update = useAct('PATCH /panel/organizations/{slug}/dialnexa/workflows/{id}/nodes/{node_id}');
  const remove = useAct('DELETE /panel/organizations/{slug}/dialnexa/workflows/{id}/nodes/{node_id}');
  const [type, setType] = useState<string>(node?.node_type ?? 'VOICE_CALL');
  const [config, setConfig] = useState(JSON.stringify(node?.config ?? SAMPLES.VOICE_CALL, null, 2));
  const error = create.error ?? update.error ?? remove.error;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const label = textOf(new FormData(event.currentTarget), 'label');
    let parsed: Record<string, unknown>;
    try {
      parsed = JSON.parse(config === '' ? '{}' : config) as Record<string, unknown>;
    } catch {
      return; // the field says so
    }
    if (node === null)
      create.mutate({ params: { slug, id }, body: { node_type: type as 'TIME', label, config: parsed } }, { onSuccess: onClose });
    else update.mutate({ params: { slug, id, node_id: node.id }, body: { label, config: parsed } }, { onSuccess: onClose });
  };
  return (
    <Modal opened={isOpen} onClose={onClose} title={node ? node.node_type : 'Add a node'}>
      <form onSubmit={submit}>
        <Stack>
          {error && <ErrorNote error={error} />}
          {node === null && (
            <Select
              label="Type"
              data={NODE_TYPES}
              value={type}
              allowDeselect={false}
              onChange={(value) => (setType(value!), setConfig(JSON.stringify(SAMPLES[value!] ?? {}, null, 2)))}
            />
          )}
          <TextInput label="Label" name="label" required defaultValue={node?.label} data-autofocus />
          <JsonInput
            label="Config"
            value={config}
            onChange={setConfig}
            validationError="This is not JSON"
            autosize
            minRows={4}
            formatOnBlur
            classNames={{ input: 'panel-mono' }}
          />
          <Group justify="space-between">
            {node ? (
              <Button
                variant="subtle"
                color="red"
                loading={remove.isPending}
                onClick={() => remove.mutate({ params: { slug, id, node_id: node.id } }, { onSuccess: onClose })}
              >
                Delete
              </Button>
            ) : (
              <span />
            )}
            <Button type="submit" loading={create.isPending || update.isPending}>
              {node ? 'Save' : 'Add'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function EdgeForm({ isOpen, nodes, onClose }: { readonly isOpen: boolean; readonly nodes: readonly Node[]; readonly onClose: () => void }) {
  const { slug } = useOrganization();
  const { id } = useParams({ from: '/o/$slug/workflows/$id' });
  const create = useAct('POST /panel/organizations/{slug}/dialnexa/workflows/{id}/edges');
  const [from, setFrom] = useState<string | null>(null);
  const [to, setTo] = useState<string | null>(null);
  const data = nodes.map((node) => ({ value: node.id, label: node.label }));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const label = textOf(new FormData(event.currentTarget), 'label');
    create.mutate(
      { params: { slug, id }, body: { from_node_id: from!, to_node_id: to!, ...(label && { label }) } },
      { onSuccess: onClose },
    );
  };
  return (
    <Modal opened={isOpen} onClose={onClose} title="Add an edge">
      <form onSubmit={submit}>
        <Stack>
          {create.error && <ErrorNote error={create.error} />}
          <Select label="From" data={data} value={from} onChange={setFrom} required />
          <Select label="To" data={data} value={to} onChange={setTo} required />
          <TextInput
            label="Outcome"
            name="label"
            placeholder="COMPLETED, NO_ANSWER, success, a branch"
            description="Empty: every outcome"
          />
          <Text size="sm" c="dimmed">
            Edges are tried in the order in which they were added.
          </Text>
          <Group justify="flex-end">
            <Button type="submit" disabled={from === null || to === null} loading={create.isPending}>
              Add
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
