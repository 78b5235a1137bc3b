import type { Command } from 'commander'
import { answer, type Shell, subcommand, text } from './shell.ts'

/** `audit verify`: whether the log of who did and saw what is as it was written. Exit code 1 when it is not. */
export function registerAudit(program: Command, shell: Shell): void {
  const audit = program.command('audit').description('the log of who signed in, changed something or looked')
  subcommand(audit, 'verify', 'check every entry, its order and its seals')
    .option('--head <seq:hash>', 'an end of the log that was noted elsewhere, for instance from the journal')
    .action((options: { json?: boolean; head?: string }) =>
      answer(
        shell,
        options,
        async () => {
          const head = options.head === undefined ? '' : `?head=${encodeURIComponent(options.head)}`
          const verdict = await shell.control().call('GET', `/privacy/audit/verify${head}`)
          if (text(verdict, 'whole') !== 'true') shell.exit(1)
          return verdict
        },
        (verdict) =>
          text(verdict, 'whole') === 'true'
            ? `The audit log is whole: ${text(verdict, 'entries')} entries, ${text(verdict, 'anchors')} seals.\nIt ends at ${text(verdict, 'last_seq')}:${text(verdict, 'head')}`
            : `The audit log was changed: ${text(verdict, 'problem')}.`,
      ),
    )
}
