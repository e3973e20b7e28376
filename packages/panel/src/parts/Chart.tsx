import { Box, Button, Group, Table, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactElement } from 'react';
import { ResponsiveContainer } from 'recharts';

/** A chart, and the same as a table for those who cannot see it. */
export function Chart<Row extends object>(props: {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly columns: readonly { readonly title: string; readonly show: (row: Row) => string }[];
  readonly height?: number;
  readonly children: ReactElement;
}) {
  const [isTable, { toggle }] = useDisclosure();
  return (
    <Box className="panel-card" component="section" aria-label={props.title}>
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h5">
          {props.title}
        </Title>
        <Button size="compact-xs" variant="subtle" onClick={toggle} aria-pressed={isTable}>
          {isTable ? 'Chart' : 'Table'}
        </Button>
      </Group>
      {isTable ? (
        <Table.ScrollContainer
          minWidth={300}
          mah={props.height ?? 220}
          tabIndex={0}
          role="region"
          aria-label={`${props.title}, as a table`}
        >
          <Table>
            <Table.Thead>
              <Table.Tr>
                {props.columns.map(({ title }) => (
                  <Table.Th key={title}>{title}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {props.rows.map((row, index) => (
                <Table.Tr key={index}>
                  {props.columns.map(({ show, title }) => (
                    <Table.Td key={title}>{show(row)}</Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ) : (
        <Box h={props.height ?? 220} aria-hidden="true">
          <ResponsiveContainer width="100%" height="100%">
            {props.children}
          </ResponsiveContainer>
        </Box>
      )}
    </Box>
  );
}

export function Figure({ label, value, note }: { readonly label: string; readonly value: string; readonly note?: string }) {
  return (
    <Box className="panel-card">
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <Text fz={26} fw={650} lh={1.2}>
        {value}
      </Text>
      {note && (
        <Text size="xs" c="dimmed">
          {note}
        </Text>
      )}
    </Box>
  );
}
