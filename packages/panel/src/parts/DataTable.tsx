import { Box, Button, Group, Table } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useState, type ReactNode } from 'react';

export interface Column<Row> {
  readonly title: string;
  readonly show: (row: Row) => ReactNode;
  readonly right?: boolean;
}

/** The only table of the panel. `j` and `k` move through the rows, Enter opens one. */
export function DataTable<Row>(props: {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly onOpen?: ((row: Row) => void) | undefined;
  readonly pager?: ReactNode;
}) {
  const [at, setAt] = useState(-1);
  const { columns, keyOf, onOpen, rows } = props;
  const move = (by: number) => setAt((now) => Math.max(0, Math.min(rows.length - 1, now + by)));
  useHotkeys([
    ['j', () => move(1)],
    ['k', () => move(-1)],
    ['Enter', () => rows[at] !== undefined && onOpen?.(rows[at])],
  ]);
  return (
    <Box>
      <Table.ScrollContainer minWidth={Math.min(900, columns.length * 130)} tabIndex={0} role="region" aria-label={props.label}>
        <Table highlightOnHover={onOpen !== undefined} verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              {columns.map(({ right, title }) => (
                <Table.Th key={title} ta={right ? 'right' : 'left'}>
                  {title}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, index) => (
              <Table.Tr
                key={keyOf(row)}
                data-selected={index === at || undefined}
                bg={index === at ? 'var(--mantine-color-default-hover)' : undefined}
                style={{ cursor: onOpen ? 'pointer' : undefined }}
                onClick={onOpen && (() => onOpen(row))}
              >
                {columns.map(({ right, show, title }) => (
                  <Table.Td key={title} ta={right ? 'right' : 'left'}>
                    {show(row)}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {props.pager && (
        <Group justify="flex-end" mt="sm">
          {props.pager}
        </Group>
      )}
    </Box>
  );
}

/** Pages by cursor: forward by what the server gave, back by what was seen. */
export function CursorPager(props: {
  readonly trail: readonly string[];
  readonly next: string | null;
  readonly onGo: (trail: string[]) => void;
}) {
  const { next, onGo, trail } = props;
  if (trail.length === 0 && next === null) return null;
  return (
    <>
      <Button size="xs" variant="default" disabled={trail.length === 0} onClick={() => onGo(trail.slice(0, -1))}>
        Newer
      </Button>
      <Button size="xs" variant="default" disabled={next === null} onClick={() => next !== null && onGo([...trail, next])}>
        Older
      </Button>
    </>
  );
}

/** Pages by number, as the DialNexa routes have them. */
export function NumberPager(props: { readonly page: number; readonly totalPages: number; readonly onGo: (page: number) => void }) {
  if (props.totalPages <= 1) return null;
  return (
    <>
      <Button size="xs" variant="default" disabled={props.page <= 1} onClick={() => props.onGo(props.page - 1)}>
        Newer
      </Button>
      <span>
        {props.page} of {props.totalPages}
      </span>
      <Button size="xs" variant="default" disabled={props.page >= props.totalPages} onClick={() => props.onGo(props.page + 1)}>
        Older
      </Button>
    </>
  );
}
