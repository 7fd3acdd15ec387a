import type { Metric, MetricSample, Subsystem } from '../subsystem.js';

/** Begins the name of every metric. */
export const METRIC_PREFIX = 'coconet_nmn_';

/** The content type of the text format of Prometheus, version 0.0.4. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** All metrics of all sub-systems in the text format of Prometheus. */
export function formatMetrics(subsystems: readonly Pick<Subsystem, 'metrics'>[]): string {
  return subsystems
    .flatMap(subsystem => subsystem.metrics())
    .map(formatMetric)
    .join('');
}

function formatMetric(metric: Metric): string {
  const name = METRIC_PREFIX + metric.name;
  const samples = metric.samples.map(sample => `${name}${formatLabels(sample)} ${sample.value}\n`);
  return `# HELP ${name} ${escape(metric.help)}\n# TYPE ${name} ${metric.type}\n${samples.join('')}`;
}

function formatLabels({ labels = {} }: MetricSample): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escape(value).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escape = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
