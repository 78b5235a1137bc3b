/** What the service counts, for Prometheus; nothing in it tells of a person. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Cloudbase } from './database.ts'

export interface CloudMetrics {
  batches: Counter<'lane' | 'outcome'>
  rows: Counter<'lane'>
  bytes: Counter<'lane'>
  quarantined: Counter<'lane'>
  dropped: Counter<string>
  applySeconds: Histogram<'lane'>
  streams: Gauge<string>
  cut: Counter<'reason'>
  refused: Counter<'reason'>
  lost: Counter<string>
  text(): Promise<string>
}

export function createCloudMetrics(load: () => ReturnType<Cloudbase['load']>): CloudMetrics {
  const register = new Registry()
  const registers = [register]
  new Gauge({
    name: 'homefield_cloud_connections',
    help: 'Connections to Postgres by state',
    labelNames: ['state'],
    registers,
    collect() {
      const { total, idle, waiting } = load()
      this.set({ state: 'total' }, total)
      this.set({ state: 'idle' }, idle)
      this.set({ state: 'waiting' }, waiting)
    },
  })
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `homefield_cloud_${name}`, help, labelNames, registers })
  return {
    batches: counter('batches_total', 'Batches by lane and outcome', ['lane', 'outcome']),
    rows: counter('rows_total', 'Rows acknowledged by lane', ['lane']),
    bytes: counter('bytes_total', 'Bytes received by lane, compressed', ['lane']),
    quarantined: counter('quarantined_total', 'Rows set aside by lane', ['lane']),
    dropped: counter('dropped_total', 'Rows of erased persons acknowledged and not kept'),
    applySeconds: new Histogram({
      name: 'homefield_cloud_apply_seconds',
      help: 'Time from the parsed batch to the commit',
      labelNames: ['lane'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    }),
    streams: new Gauge({ name: 'homefield_cloud_streams', help: 'Open shape streams', registers }),
    cut: counter('streams_cut_total', 'Shape streams ended by the service', ['reason']),
    refused: counter('refused_total', 'Requests refused by reason', ['reason']),
    lost: counter('connections_lost_total', 'Connections to Postgres that broke'),
    text: () => register.metrics(),
  }
}
