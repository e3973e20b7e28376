-- Invitations are listed, revoked and sent again, and end with their maker's right to make them. Those of before have no
-- maker: they are not taken any more.
alter table sign_in_links add column id uuid not null default gen_random_uuid(); -- its name in lists; the hash is of the secret
alter table sign_in_links add column made_by uuid references users; -- of an invitation: the owner who made it
alter table sign_in_links add column by_operator boolean not null default false; -- of an invitation: the operator made it
create unique index sign_in_links_id on sign_in_links (id);
create index sign_in_links_user on sign_in_links (user_id) where user_id is not null;

-- A guess is counted before the password is looked at, and taken back when it was right.
alter table sign_in_failures add column attempt uuid;

-- The e-mail address that a user wants, until the link that was sent there is opened.
alter table users add column pending_email text;
