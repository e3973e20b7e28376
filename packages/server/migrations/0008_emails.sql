-- An e-mail address is one user's, however it is written. Users that share one from before keep it, and sign in with its exact spelling.
alter table users add column shares_email boolean not null default false;
update users u set shares_email = true
 where exists (
   select from users o where lower(o.email) = lower(u.email) and o.id <> u.id
      and (o.password_hash is not null, u.id) > (u.password_hash is not null, o.id));
create unique index users_email on users (lower(email)) where not shares_email;
