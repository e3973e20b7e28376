import { Box } from '@mantine/core';
import { useMemo } from 'react';
import { formatNumber } from './format.ts';

interface Node {
  readonly id: string;
  readonly node_type: string;
  readonly label: string;
}
interface Edge {
  readonly id: string;
  readonly from_node_id: string;
  readonly to_node_id: string;
  readonly label: string | null;
}

const [WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN] = [170, 62, 90, 26, 16];
const COLORS: Record<string, string> = {
  VOICE_CALL: 'cyan',
  TIME: 'gray',
  CONDITIONAL: 'violet',
  APPLICATION: 'orange',
  CONVERTED: 'teal',
  DROPPED: 'red',
};

/** Edges that lead back to a node on the way to them: a drawing from left to right has no place for those. */
function loops(nodes: readonly Node[], edges: readonly Edge[]): Set<string> {
  const back = new Set<string>();
  const state = new Map<string, 'open' | 'done'>();
  const visit = (id: string) => {
    state.set(id, 'open');
    for (const { from_node_id: from, id: edge, to_node_id: to } of edges) {
      if (from !== id) continue;
      if (state.get(to) === 'open') back.add(edge);
      else if (!state.has(to)) visit(to);
    }
    state.set(id, 'done');
  };
  for (const { id } of nodes) if (!state.has(id)) visit(id);
  return back;
}

/** Each node in a column by its longest way from the entry, in the order of its creation. */
function place(nodes: readonly Node[], edges: readonly Edge[]): Map<string, { readonly x: number; readonly y: number }> {
  const back = loops(nodes, edges);
  const forward = edges.filter(({ id }) => !back.has(id));
  const depth = new Map<string, number>(nodes.map(({ id }) => [id, 0]));
  for (let changed = true; changed;) {
    changed = false;
    for (const { from_node_id: from, to_node_id: to } of forward) {
      const least = (depth.get(from) ?? 0) + 1;
      if ((depth.get(to) ?? 0) >= least) continue;
      depth.set(to, least);
      changed = true;
    }
  }
  const rows = new Map<number, number>();
  return new Map(
    nodes.map(({ id }) => {
      const column = depth.get(id) ?? 0;
      const row = rows.get(column) ?? 0;
      rows.set(column, row + 1);
      return [id, { x: MARGIN + column * (WIDTH + GAP_X), y: MARGIN + row * (HEIGHT + GAP_Y) }];
    }),
  );
}

/** A workflow, drawn: its nodes with the leads at each, and its edges with their outcomes. */
export function Graph<N extends Node>(props: {
  readonly nodes: readonly N[];
  readonly edges: readonly Edge[];
  readonly counts: ReadonlyMap<string, number>;
  readonly onOpen: (node: N) => void;
}) {
  const { counts, edges, nodes, onOpen } = props;
  const places = useMemo(() => place(nodes, edges), [nodes, edges]);
  const width = Math.max(...[...places.values()].map(({ x }) => x)) + WIDTH + MARGIN;
  const height = Math.max(...[...places.values()].map(({ y }) => y)) + HEIGHT + MARGIN + 24;
  return (
    <Box style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-label="Graph of the workflow">
      <svg width={width} height={height} role="group" aria-label={`${nodes.length} nodes, ${edges.length} edges`}>
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path d="M0 0 8 4 0 8z" fill="var(--mantine-color-dimmed)" />
          </marker>
        </defs>
        {edges.map(({ from_node_id: from, id, label, to_node_id: to }) => {
          const [a, b] = [places.get(from), places.get(to)];
          if (a === undefined || b === undefined) return null;
          const isBack = b.x <= a.x;
          // Around what stands between, below it.
          const isLong = !isBack && b.x - a.x > WIDTH + GAP_X && b.y === a.y;
          const [x1, y1] = [a.x + WIDTH, a.y + HEIGHT / 2];
          const [x2, y2] = isBack ? [b.x + WIDTH / 2, b.y + HEIGHT] : [b.x, b.y + HEIGHT / 2];
          const drop = HEIGHT + GAP_Y / 2;
          const bend = isBack
            ? `C ${x1 + 50} ${y1 + 70}, ${x2} ${y2 + 60}, ${x2} ${y2}`
            : isLong
              ? `C ${x1 + GAP_X / 2} ${y1 + drop}, ${x2 - GAP_X / 2} ${y2 + drop}, ${x2} ${y2}`
              : `C ${x1 + GAP_X / 2} ${y1}, ${x2 - GAP_X / 2} ${y2}, ${x2} ${y2}`;
          const labelY = (y1 + y2) / 2 + (isBack ? 44 : isLong ? drop * 0.75 + 12 : -5);
          return (
            <g key={id}>
              <path
                d={`M ${x1} ${y1} ${bend}`}
                fill="none"
                stroke="var(--mantine-color-dimmed)"
                strokeWidth={1.5}
                markerEnd="url(#arrow)"
              />
              {label && (
                <text
                  x={(x1 + x2) / 2}
                  y={labelY}
                  fontSize={11}
                  textAnchor="middle"
                  fill="var(--mantine-color-text)"
                  stroke="var(--mantine-color-body)"
                  strokeWidth={3}
                  paintOrder="stroke"
                >
                  {label}
                </text>
              )}
            </g>
          );
        })}
        {nodes.map((node) => {
          const { x, y } = places.get(node.id)!;
          const count = counts.get(node.id) ?? 0;
          const color = COLORS[node.node_type] ?? 'gray';
          return (
            <g
              key={node.id}
              transform={`translate(${x} ${y})`}
              role="button"
              tabIndex={0}
              style={{ cursor: 'pointer' }}
              onClick={() => onOpen(node)}
              onKeyDown={(event) => event.key === 'Enter' && onOpen(node)}
            >
              <rect
                width={WIDTH}
                height={HEIGHT}
                rx={10}
                fill="var(--mantine-color-body)"
                stroke={`var(--mantine-color-${color}-6)`}
                strokeWidth={1.5}
              />
              <rect width={6} height={HEIGHT} rx={3} fill={`var(--mantine-color-${color}-6)`} />
              <text x={18} y={26} fontSize={14} fontWeight={600} fill="var(--mantine-color-text)">
                {node.label.length > 18 ? `${node.label.slice(0, 17)}…` : node.label}
              </text>
              <text x={18} y={46} fontSize={11} fill="var(--mantine-color-dimmed)">
                {node.node_type}
              </text>
              <text x={WIDTH - 12} y={46} fontSize={13} fontWeight={600} textAnchor="end" fill="var(--mantine-color-text)">
                {formatNumber(count)}
              </text>
            </g>
          );
        })}
      </svg>
    </Box>
  );
}
