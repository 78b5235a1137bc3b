/** Opens the database at `argv[2]` and brings it up to date by the migrations in `argv[3]`, as a start does. */
import { openForWriting } from '../../daemon/store/database.ts'
import { migrate } from '../../daemon/store/migrate.ts'

const [, , path = '', folder = ''] = process.argv
const db = openForWriting(path)
process.stdout.write('begun\n')
migrate(db, path, folder)
process.stdout.write('current\n')
db.close()
