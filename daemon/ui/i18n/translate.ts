/** Turns a catalogue of sentences into one typed function, so that a missing word is a compile error. */
import { en } from './en.ts'

type Plural = { readonly one: string; readonly other: string }
export type Sentence = string | Plural
/** Sentences by name: the app's own, or those of one area, which come with its code. */
export type Catalogue = Readonly<Record<string, Sentence>>
export type Key = keyof typeof en

/** The names between braces of a sentence. */
type Names<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
type Text<S> = S extends Plural ? S['other'] | '{count}' : S
type Arguments<S> = [Names<Text<S>>] extends [never] ? [] : [values: Record<Names<Text<S>>, string | number>]

export type TranslateOf<C extends Catalogue> = <K extends keyof C & string>(
  key: K,
  ...values: Arguments<C[K]>
) => string
export type Translate = TranslateOf<typeof en>

/** `count` chooses the plural form of a sentence that has two; numbers are written the way the locale does. */
export function createTranslate<C extends Catalogue>(catalogue: C, locale: string): TranslateOf<C> {
  const plural = new Intl.PluralRules(locale)
  const number = new Intl.NumberFormat(locale)
  return (key, ...[values]) => {
    const given: Readonly<Record<string, string | number>> = values ?? {}
    const sentence: Sentence = catalogue[key] ?? key
    const text = typeof sentence === 'string' ? sentence : sentence[form(given['count'])]
    return text.replace(/\{(\w+)\}/g, (_all, name: string) => {
      const value = given[name]
      return typeof value === 'number' ? number.format(value) : (value ?? '')
    })
  }

  function form(count: string | number | undefined): 'one' | 'other' {
    return plural.select(Number(count)) === 'one' ? 'one' : 'other'
  }
}

/** The signed-in words: every string that the app shows, in the one language there is so far. */
export function translateFor(languages: readonly string[]): { t: Translate; locale: string } {
  const locale = languages.find((language) => language.startsWith('en')) ?? 'en-GB'
  return { t: createTranslate(en, locale), locale }
}
