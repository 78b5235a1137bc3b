/** Who saw an alert: each recipient and channel with when it was sent, arrived, was seen and answered. */
import type { JSX } from 'preact'
import { useApp, useWords } from '../../app.ts'
import type { Delivery } from './answers.ts'
import { sightsOf } from './ladder.ts'
import { words } from './words.ts'

const STAGES = ['sent', 'delivered', 'seen', 'acknowledged'] as const

export function Sights({
  deliveries,
  open,
}: {
  deliveries: readonly Delivery[]
  open: boolean
}): JSX.Element | null {
  const { format, zone } = useApp()
  const say = useWords(words)
  const sights = sightsOf(deliveries)
  if (sights.length === 0) return null
  const time = (at: string | null) => (at === null ? '–' : format.time(Date.parse(at), zone))
  return (
    <details class="sights" open={open}>
      <summary>{say('sights.title')}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be pushed sideways must be reachable by keyboard */}
      <section class="sights-table" aria-label={say('sights.title')} tabIndex={0}>
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{say('sights.who')}</th>
              {STAGES.map((stage) => (
                <th key={stage} scope="col">
                  {say(`delivery.${stage}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sights.map((one) => (
              <tr key={one.key} data-channel={one.channel}>
                <th scope="row">
                  {one.isHouse ? say('recipient.house') : (one.name ?? say('recipient.unknown'))}
                  <span class="sights-how">
                    {say(`channel.${one.channel}`)}
                    {one.attempts > 1 && ` · ${say('sights.tries', { count: one.attempts })}`}
                  </span>
                  {one.failure !== null && <span class="sights-how">{one.failure}</span>}
                </th>
                {STAGES.map((stage) => (
                  <td key={stage} data-stage={stage}>
                    {time(one.at[stage])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  )
}
