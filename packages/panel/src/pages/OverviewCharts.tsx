import { SimpleGrid } from '@mantine/core';
import { Area, AreaChart, Bar, BarChart, CartesianGrid, Line, LineChart, Tooltip, XAxis, YAxis } from 'recharts';
import type { Answer } from '../api/client.ts';
import { Chart, Figure } from '../parts/Chart.tsx';
import { formatCompact, formatHour, formatMs, formatNumber, formatPercent, formatTime } from '../parts/format.ts';
import { Empty } from '../parts/Page.tsx';

type Overview = Answer<'GET /panel/organizations/{slug}/overview'>;

/** The overview's figures and charts; apart from the page, since charts are half of what the panel weighs. */
export function OverviewCharts({ overview }: { readonly overview: Overview }) {
  const { buckets, dials, lists, queue } = overview;
  const sum = (pick: (bucket: Overview['buckets'][number]) => number) => buckets.reduce((total, bucket) => total + pick(bucket), 0);
  const [delivered, failed] = [sum((b) => b.delivered), sum((b) => b.failed + b.exhausted)];
  const attempts = delivered + failed;
  const last = buckets.findLast(({ p95_ms: p95 }) => p95 !== null);
  if (attempts + queue.waiting + sumOf(lists) + sumOf(dials) === 0)
    return (
      <Empty
        title="Nothing was delivered yet"
        command={`# register a webhook under Developers, then send an event\nnpm run dialhook -- send <organization> call.ended '{"n":1}'`}
      >
        This page fills itself as soon as the first webhook goes out.
      </Empty>
    );
  const hour = { dataKey: 'at', tickFormatter: formatHour, tickLine: false, fontSize: 12, minTickGap: 30, tick: TICK } as const;
  const tip = { labelFormatter: (at: unknown) => formatTime(String(at)), contentStyle: TIP };
  return (
    <>
      <SimpleGrid cols={{ base: 2, md: 4 }}>
        <Figure label="Delivered" value={formatCompact(delivered)} note={`${formatNumber(attempts)} attempts`} />
        <Figure
          label="Failed attempts"
          value={attempts === 0 ? '–' : formatPercent(failed / attempts)}
          note={`${formatNumber(sum((b) => b.exhausted))} given up`}
        />
        <Figure label="p95 now" value={formatMs(last?.p95_ms ?? null)} note={`p50 ${formatMs(last?.p50_ms ?? null)}`} />
        <Figure
          label="Waiting"
          value={`${queue.at_least ? '≥ ' : ''}${formatCompact(queue.waiting)}`}
          note={`${formatNumber(queue.retries)} retries, oldest due ${formatMs(queue.oldest_due_ms)}`}
        />
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Chart
          title="Attempts by outcome"
          rows={buckets}
          columns={[
            { title: 'Hour', show: (b) => formatTime(b.at) },
            { title: 'Delivered', show: (b) => formatNumber(b.delivered) },
            { title: 'To be retried', show: (b) => formatNumber(b.failed) },
            { title: 'Given up', show: (b) => formatNumber(b.exhausted) },
          ]}
        >
          <AreaChart accessibilityLayer={false} data={buckets}>
            <CartesianGrid stroke="var(--panel-line)" vertical={false} />
            <XAxis {...hour} />
            <YAxis width={48} tickFormatter={formatCompact} fontSize={12} tick={TICK} tickLine={false} axisLine={false} />
            <Tooltip {...tip} />
            <Area
              type="monotone"
              dataKey="delivered"
              stackId="1"
              stroke="var(--mantine-color-teal-6)"
              fill="var(--mantine-color-teal-6)"
              fillOpacity={0.35}
              isAnimationActive={false}
            />
            <Area
              type="monotone"
              dataKey="failed"
              name="to be retried"
              stackId="1"
              stroke="var(--mantine-color-yellow-6)"
              fill="var(--mantine-color-yellow-6)"
              fillOpacity={0.35}
              isAnimationActive={false}
            />
            <Area
              type="monotone"
              dataKey="exhausted"
              name="given up"
              stackId="1"
              stroke="var(--mantine-color-red-6)"
              fill="var(--mantine-color-red-6)"
              fillOpacity={0.35}
              isAnimationActive={false}
            />
          </AreaChart>
        </Chart>
        <Chart
          title="Time until the receiver has answered"
          rows={buckets}
          columns={[
            { title: 'Hour', show: (b) => formatTime(b.at) },
            { title: 'p50', show: (b) => formatMs(b.p50_ms) },
            { title: 'p95', show: (b) => formatMs(b.p95_ms) },
            { title: 'p99', show: (b) => formatMs(b.p99_ms) },
          ]}
        >
          <LineChart accessibilityLayer={false} data={buckets}>
            <CartesianGrid stroke="var(--panel-line)" vertical={false} />
            <XAxis {...hour} />
            <YAxis width={56} tickFormatter={(ms: number) => formatMs(ms)} fontSize={12} tick={TICK} tickLine={false} axisLine={false} />
            <Tooltip {...tip} formatter={(ms) => formatMs(Number(ms))} />
            <Line
              type="monotone"
              dataKey="p50_ms"
              name="p50"
              stroke="var(--mantine-color-cyan-6)"
              dot={{ r: 2 }}
              connectNulls
              isAnimationActive={false}
            />
            <Line
              type="monotone"
              dataKey="p95_ms"
              name="p95"
              stroke="var(--mantine-color-yellow-6)"
              dot={{ r: 2 }}
              connectNulls
              isAnimationActive={false}
            />
            <Line
              type="monotone"
              dataKey="p99_ms"
              name="p99"
              stroke="var(--mantine-color-red-6)"
              dot={{ r: 2 }}
              connectNulls
              isAnimationActive={false}
            />
          </LineChart>
        </Chart>
        {(
          [
            ['Lists an hour', lists],
            ['Dials an hour', dials],
          ] as const
        ).map(([title, rows]) => (
          <Chart
            key={title}
            title={title}
            height={160}
            rows={rows}
            columns={[
              { title: 'Hour', show: (r) => formatTime(r.at) },
              { title: 'Count', show: (r) => formatNumber(r.count) },
            ]}
          >
            <BarChart accessibilityLayer={false} data={[...rows]}>
              <XAxis {...hour} />
              <YAxis
                width={48}
                tickFormatter={formatCompact}
                fontSize={12}
                tick={TICK}
                tickLine={false}
                axisLine={false}
                allowDecimals={false}
              />
              <Tooltip {...tip} />
              <Bar dataKey="count" fill="var(--mantine-color-cyan-6)" isAnimationActive={false} />
            </BarChart>
          </Chart>
        ))}
      </SimpleGrid>
    </>
  );
}

const sumOf = (rows: readonly { readonly count: number }[]) => rows.reduce((total, { count }) => total + count, 0);
const TICK = { fill: 'var(--mantine-color-dimmed)' };
const TIP = { background: 'var(--mantine-color-body)', border: '1px solid var(--panel-line)', borderRadius: 8 };
