-- A name has at most 24 characters as people count them, each of one code point or several, and 128 bytes.
ALTER TABLE players MODIFY name VARCHAR(128) NOT NULL;
ALTER TABLE prizes MODIFY name VARCHAR(128) NOT NULL;
