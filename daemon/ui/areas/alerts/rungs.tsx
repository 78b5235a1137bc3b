/** Who was told of an alert: step by step, each with what came of it on every channel. */
import type { JSX } from 'preact'
import { useApp, useWords } from '../../app.ts'
import type { Delivery } from './answers.ts'
import { fateOf, stepsOf, type Told } from './ladder.ts'
import { words } from './words.ts'

export function Rungs({ deliveries }: { deliveries: readonly Delivery[] }): JSX.Element {
  const say = useWords(words)
  const steps = stepsOf(deliveries)
  if (steps.length === 0) return <p class="small">{say('alert.toldNobody')}</p>
  return (
    <ol class="rungs">
      {steps.map(({ step, round, told }) => (
        <li key={`${round} ${step}`}>
          <span class="rung-step">
            {round === 0 ? say('alert.step', { step }) : say('alert.stepAgain', { step, round })}
          </span>
          <ul>
            {told.map((one) => (
              <Rung key={one.who} told={one} />
            ))}
          </ul>
        </li>
      ))}
    </ol>
  )
}

function Rung({ told }: { told: Told }): JSX.Element {
  const { format, zone, clock } = useApp()
  const say = useWords(words)
  return (
    <li>
      <strong>{told.isHouse ? say('recipient.house') : (told.name ?? say('recipient.unknown'))}</strong>
      {told.deliveries.map((delivery) => {
        const { word, at } = fateOf(delivery)
        return (
          <span key={`${delivery.channel} ${delivery.device_id}`} class="rung-fate" data-fate={word}>
            {say(`channel.${delivery.channel}`)}: {say(`delivery.${word}`)}
            {at !== null && ` ${format.moment(Date.parse(at), zone, clock.nowMs())}`}
          </span>
        )
      })}
    </li>
  )
}
