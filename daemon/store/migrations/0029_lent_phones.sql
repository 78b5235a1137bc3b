-- A player's own phone as a camera: whose it is, and the running session that it films for (null: it films for none).
ALTER TABLE camera ADD COLUMN lender INTEGER REFERENCES user (key) ON DELETE SET NULL;
ALTER TABLE camera ADD COLUMN lent_to TEXT;
