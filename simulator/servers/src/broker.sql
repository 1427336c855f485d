-- What tansu 0.6.0 expects in a PostgreSQL that is its storage; it makes nothing of it itself. Every table has a row number, and
-- says when its rows were made and changed; the types are those that its queries bind.

create table if not exists cluster (
    id int generated always as identity primary key,
    name text unique not null,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null
);
create table if not exists scram_credential (
    id int generated always as identity primary key,
    cluster int references cluster on delete cascade not null, username text not null, mechanism int not null,
    salt bytea not null, iterations int not null, stored_key bytea not null, server_key bytea not null,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (cluster, username, mechanism)
);

-- Topics, their partitions ("topitions"), and what is in these.
create table if not exists topic (
    id int generated always as identity primary key,
    cluster int references cluster on delete cascade not null, name text not null, uuid uuid default gen_random_uuid() not null,
    partitions int not null, replication_factor int not null, is_internal bool default false not null,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (cluster, name)
);
create table if not exists topic_configuration (
    id int generated always as identity primary key,
    topic int references topic on delete cascade, name text not null, value text,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (topic, name)
);
create table if not exists topition (
    id int generated always as identity primary key,
    topic int references topic on delete cascade, partition int,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (topic, partition)
);
create table if not exists watermark (
    id int generated always as identity primary key,
    topition int references topition on delete cascade unique, low bigint, high bigint,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null
);
create table if not exists record (
    topition int references topition on delete cascade, offset_id bigint not null, attributes smallint,
    producer_id bigint, producer_epoch smallint, timestamp timestamptz, k bytea, v bytea,
    transaction_id xid8 default pg_current_xact_id() not null,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    primary key (topition, offset_id)
);
create table if not exists header (
    topition int, offset_id bigint, k bytea, v bytea,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    foreign key (topition, offset_id) references record (topition, offset_id) on delete cascade
);
create index if not exists header_of_record on header (topition, offset_id);

-- Consumer groups.
create table if not exists consumer_group (
    id int generated always as identity primary key,
    cluster int references cluster on delete cascade not null, name text not null,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (cluster, name)
);
create table if not exists consumer_group_detail (
    id int generated always as identity primary key,
    consumer_group int references consumer_group on delete cascade unique, e_tag uuid not null, detail json not null,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null
);
create table if not exists consumer_offset (
    id int generated always as identity primary key,
    consumer_group int references consumer_group on delete cascade, topition int references topition on delete cascade,
    committed_offset bigint, leader_epoch int, timestamp timestamptz, metadata text,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (consumer_group, topition)
);

-- Idempotent producers.
create table if not exists producer (
    id bigint generated always as identity primary key,
    cluster int references cluster on delete cascade not null,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null
);
create table if not exists producer_epoch (
    id int generated always as identity primary key,
    producer bigint references producer on delete cascade, epoch smallint default 0 not null,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (producer, epoch)
);
create table if not exists producer_detail (
    id int generated always as identity primary key,
    producer_epoch int references producer_epoch on delete cascade, topition int references topition on delete cascade,
    sequence int default 0 not null,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (producer_epoch, topition)
);

-- Transactions, which we don't use and its queries look into.
create table if not exists txn (
    id int generated always as identity primary key,
    cluster int references cluster on delete cascade, name text, producer bigint references producer on delete cascade,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (cluster, name)
);
create table if not exists txn_detail (
    id int generated always as identity primary key,
    "transaction" int references txn, producer_epoch int references producer_epoch, transaction_timeout_ms int not null,
    started_at timestamptz, status text,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique ("transaction", producer_epoch)
);
create table if not exists txn_topition (
    id int generated always as identity primary key,
    txn_detail int references txn_detail on delete cascade, topition int references topition on delete cascade,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (txn_detail, topition)
);
create table if not exists txn_produce_offset (
    id int generated always as identity primary key,
    txn_topition int references txn_topition on delete cascade unique, offset_start bigint, offset_end bigint,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null
);
create table if not exists txn_offset_commit (
    id int generated always as identity primary key,
    txn_detail int references txn_detail on delete cascade, consumer_group int references consumer_group on delete cascade,
    generation_id int, member_id text,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (txn_detail, consumer_group)
);
create table if not exists txn_offset_commit_tp (
    id int generated always as identity primary key,
    offset_commit int references txn_offset_commit on delete cascade, topition int references topition on delete cascade,
    committed_offset bigint, leader_epoch int, metadata text,
    last_updated timestamptz default now() not null, created_at timestamptz default now() not null,
    unique (offset_commit, topition)
);
