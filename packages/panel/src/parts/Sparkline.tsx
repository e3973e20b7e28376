/** 24 hours as 24 bars: what was delivered, and above it what failed. */
export function Sparkline({ hours }: { readonly hours: readonly { readonly delivered: number; readonly failed: number }[] }) {
  const most = Math.max(1, ...hours.map(({ delivered, failed }) => delivered + failed));
  const delivered = hours.reduce((sum, one) => sum + one.delivered, 0);
  const failed = hours.reduce((sum, one) => sum + one.failed, 0);
  return (
    <svg width={96} height={24} role="img" aria-label={`Last 24 hours: ${delivered} delivered, ${failed} failed`}>
      {hours.map((hour, index) => {
        const [good, bad] = [(hour.delivered / most) * 22, (hour.failed / most) * 22];
        return (
          <g key={index}>
            <rect x={index * 4} y={23 - good} width={3} height={good} fill="var(--mantine-color-teal-6)" />
            <rect x={index * 4} y={23 - good - bad} width={3} height={bad} fill="var(--mantine-color-red-6)" />
            <rect x={index * 4} y={23} width={3} height={1} fill="var(--panel-line)" />
          </g>
        );
      })}
    </svg>
  );
}
