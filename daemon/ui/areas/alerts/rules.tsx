/** A person's rules: which there are, which are suggested from own days, and what one would have done in the last fortnight. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import type { RuleDraft } from '../../../domain/rule.ts'
import { useApp, useWords } from '../../app.ts'
import type { Person } from '../../net/answers.ts'
import { Confirm, ErrorLine, Form, useAction } from '../../parts/action.tsx'
import { errorText, Show } from '../../parts/feedback.tsx'
import { Choice, Field, Select } from '../../parts/fields.tsx'
import { Link } from '../../parts/link.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { createResource } from '../../state/resource.ts'
import type { Presets, Rule } from './answers.ts'
import { conditionText } from './conditions.ts'
import {
  conditionOf,
  draftOf,
  FORM_METRICS,
  FORM_TYPES,
  type FormType,
  hasLimit,
  isChange,
} from './rule-form.ts'
import { Trial } from './trial.tsx'
import { words } from './words.ts'

export function RulesPage({ personId }: { personId: string | null }): JSX.Element {
  const { household } = useApp()
  const say = useWords(words)
  return (
    <Screen title={say('rules.title')} back="/alerts" narrow>
      <Show of={household.people}>
        {(people) => {
          const person = people.find(({ id }) => id === personId) ?? people[0]
          if (!person) return <p>{say('rules.nobody')}</p>
          return (
            <>
              {people.length > 1 && <Choose people={people} chosen={person.id} />}
              <RulesOf key={person.id} person={person} />
            </>
          )
        }}
      </Show>
    </Screen>
  )
}

function Choose({ people, chosen }: { people: readonly Person[]; chosen: string }): JSX.Element {
  const say = useWords(words)
  return (
    <nav class="picker" aria-label={say('rules.whose')}>
      {people.map(({ id, name }) => (
        <Link
          key={id}
          to={`/alerts/rules/${id}`}
          class="chip"
          aria-current={id === chosen ? 'page' : undefined}
        >
          {name}
        </Link>
      ))}
    </nav>
  )
}

function RulesOf({ person }: { person: Person }): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const query = `person_id=${encodeURIComponent(person.id)}`
  const rules = useMemo(() => createResource(() => api.all<Rule>(`/rules?${query}`)), [api, query])
  const presets = useMemo(
    () => createResource(() => api.get<Presets>(`/rules/presets?${query}`)),
    [api, query],
  )
  useEffect(() => {
    void rules.reload()
    void presets.reload()
  }, [rules, presets])
  const keep = async (draft: RuleDraft) => {
    await api.post('/rules', { person_id: person.id, ...draft })
    await rules.reload()
  }
  return (
    <>
      <Section title={say('rules.of', { name: person.name })}>
        <Show of={rules}>
          {(found) =>
            found.length === 0 ? (
              <p>{say('rules.none', { name: person.name })}</p>
            ) : (
              <ul class="alert-cards">
                {found.map((rule) => (
                  <li key={rule.id}>
                    <RuleCard rule={rule} onChanged={rules.reload} />
                  </li>
                ))}
              </ul>
            )
          }
        </Show>
      </Section>
      <Section title={say('rules.presets')}>
        <p class="small">{say('rules.presetsText')}</p>
        <Show of={presets}>{(found) => <PresetList presets={found} onKeep={keep} />}</Show>
      </Section>
      <Section title={say('rules.new')}>
        <NewRule personId={person.id} onKeep={keep} />
      </Section>
    </>
  )
}

function RuleCard({ rule, onChanged }: { rule: Rule; onChanged: () => Promise<void> }): JSX.Element {
  const { api, format, t } = useApp()
  const say = useWords(words)
  const action = useAction()
  const path = `/rules/${encodeURIComponent(rule.id)}`
  return (
    <article class="alert-card">
      <div class="alert-head">
        <h3>{rule.name}</h3>
        <p>{conditionText(rule.condition, format, say)}</p>
        <p class="small">
          {say(`kind.${rule.severity}`)} · {say(rule.enabled ? 'rules.on' : 'rules.off')}
        </p>
      </div>
      <div class="alert-further">
        <button
          type="button"
          class="button compact"
          disabled={action.busy.value}
          onClick={() =>
            void action.run(async () => {
              await api.patch(path, { enabled: !rule.enabled })
              await onChanged()
            })
          }
        >
          {say(rule.enabled ? 'rules.switchOff' : 'rules.switchOn')}
        </button>
        <Confirm
          small
          label={t('action.remove')}
          title={say('rules.removeTitle', { name: rule.name })}
          text={say('rules.removeText')}
          confirm={t('action.remove')}
          onConfirm={async () => {
            await api.remove(path)
            await onChanged()
          }}
        />
      </div>
      <Trial personId={rule.person_id} condition={rule.condition} />
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </article>
  )
}

interface PresetListProps {
  presets: Presets
  onKeep: (draft: RuleDraft) => Promise<void>
}

function PresetList({ presets, onKeep }: PresetListProps): JSX.Element {
  const { t, format } = useApp()
  const say = useWords(words)
  const action = useAction()
  return (
    <>
      <ul class="alert-cards">
        {presets.presets.map(({ id, title, description, rule }) => (
          <li key={id} class="alert-card">
            <div class="alert-head">
              <h3>{title}</h3>
              <p>{description}</p>
              <p class="small">{conditionText(rule.condition, format, say)}</p>
            </div>
            <button
              type="button"
              class="button compact"
              disabled={action.busy.value}
              onClick={() => void action.run(() => onKeep(rule))}
            >
              {say('rules.take')}
            </button>
          </li>
        ))}
      </ul>
      {presets.not_enough_data.length > 0 && (
        <p class="small">
          {say('rules.tooFew', { metrics: presets.not_enough_data.map(format.metric).join(', ') })}
        </p>
      )}
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </>
  )
}

function NewRule({ personId, onKeep }: { personId: string; onKeep: PresetListProps['onKeep'] }): JSX.Element {
  const { format, t, said, units } = useApp()
  const say = useWords(words)
  const action = useAction()
  const name = useSignal('')
  const type = useSignal<FormType>('above')
  const metric = useSignal<string>(FORM_METRICS[0])
  const limit = useSignal('')
  const minutes = useSignal('15')
  const severity = useSignal<'warning' | 'urgent'>('warning')
  const filled = {
    ...{ name: name.value, type: type.value, metric: metric.value, limit: limit.value },
    ...{ minutes: minutes.value, severity: severity.value },
  }
  const draft = draftOf(filled, units.glucose.value)
  const condition = conditionOf(filled, units.glucose.value)
  const isBattery = type.value === 'battery'
  const unit = format.unit(metric.value)
  const limitLabel = isBattery
    ? say('rules.percent')
    : say(isChange(type.value) ? 'rules.change' : 'rules.limit', { unit })
  const minutesLabel = say(isChange(type.value) ? 'rules.within' : 'rules.minutes')
  return (
    <Form
      action={action}
      submit={say('rules.keep')}
      disabled={draft === null}
      onSubmit={async () => {
        if (draft === null) return
        await onKeep(draft)
        name.value = ''
        said.value = t('said.saved')
      }}
    >
      <Field label={say('rules.name')} value={name} required maxLength={100} />
      <Select
        label={say('rules.type')}
        value={type}
        options={FORM_TYPES.map((value) => ({ value, label: say(`rules.type.${value}`) }))}
      />
      {!isBattery && (
        <Select
          label={say('rules.metric')}
          value={metric}
          options={FORM_METRICS.map((value) => ({ value, label: format.measured(value) }))}
        />
      )}
      {hasLimit(type.value) && <Field label={limitLabel} value={limit} inputMode="decimal" required />}
      {!isBattery && <Field label={minutesLabel} value={minutes} inputMode="numeric" required />}
      <Choice
        legend={say('rules.severity')}
        value={severity}
        options={[
          { value: 'warning', label: say('kind.warning'), text: say('rules.warningText') },
          { value: 'urgent', label: say('kind.urgent'), text: say('rules.urgentText') },
        ]}
      />
      {condition !== null && <Trial personId={personId} condition={condition} />}
    </Form>
  )
}
