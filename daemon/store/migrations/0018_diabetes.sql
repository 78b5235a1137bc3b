-- What a person's glucose is judged by: the range that they aim at, in mg/dL.
ALTER TABLE person ADD COLUMN diabetes_type TEXT CHECK (diabetes_type IN ('type1', 'type2', 'prediabetes', 'gestational', 'other'));
ALTER TABLE person ADD COLUMN target_glucose_min REAL NOT NULL DEFAULT 70;
ALTER TABLE person ADD COLUMN target_glucose_max REAL NOT NULL DEFAULT 180;
