/**
 * Loaded before every test file: property tests draw the same cases in every run, so that a run says something about the change and
 * not about the dice. `HOMEFIELD_SEED` names other cases; `random` draws new ones.
 */
import fc from 'fast-check'

const wanted = process.env['HOMEFIELD_SEED'] ?? '20261120'
if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) })
