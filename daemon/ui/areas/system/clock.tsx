/** Whether the box knows the time, and what runs on it since when. */
import type { JSX } from 'preact'
import { useApp, useWords } from '../../app.ts'
import { sizeText } from '../../i18n/size.ts'
import { Section } from '../../parts/screen.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import type { HubState } from './answers.ts'
import { Facts } from './facts.tsx'
import { words } from './words.ts'

const JUMPS_SHOWN = 5
const TRUST = { set: 'ok', guessed: 'watch', unset: 'alert' } as const

export function Clock({ clock }: { clock: HubState['clock'] }): JSX.Element {
  const { format, zone } = useApp()
  const say = useWords(words)
  return (
    <Section title={say('clock.title')}>
      <Facts
        of={[
          [
            say('clock.state'),
            <StateMark key="state" state={TRUST[clock.state]} word={say(`clock.${clock.state}`)} />,
          ],
          ...(clock.moved_values > 0 ? ([[say('clock.moved'), String(clock.moved_values)]] as const) : []),
          ...clock.jumps
            .slice(-JUMPS_SHOWN)
            .map(
              ({ at, by_ms: byMs }) =>
                [
                  format.moment(Date.parse(at), zone),
                  say(byMs < 0 ? 'clock.jumpBack' : 'clock.jump', { span: format.span(Math.abs(byMs)) }),
                ] as const,
            ),
        ]}
      />
    </Section>
  )
}

export function Versions({ state }: { state: HubState }): JSX.Element {
  const { format, zone, locale } = useApp()
  const say = useWords(words)
  return (
    <Section title={say('version.title')}>
      <Facts
        of={[
          [say('version.hub'), state.version],
          [say('version.node'), state.node],
          [say('version.since'), format.moment(Date.parse(state.started_at), zone)],
          [say('version.memory'), sizeText(state.memory_bytes, locale)],
        ]}
      />
    </Section>
  )
}
