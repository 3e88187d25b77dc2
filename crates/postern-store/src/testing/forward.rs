/// Makes a wrapper of an engine in a test one itself, but for [`postern_core::ports::Store`], which it means to
/// meddle with: every other port goes on to `self.$read()`, or where it may write to `self.$write()`.
#[macro_export]
macro_rules! forward_other_ports {
    ($wrapper:ty, $read:ident, $write:ident) => {
        const _: () = {
            use ::postern_core::Error;
            use ::postern_core::model::{
                AddressKey, AdminAccount, AdminSession, AuditEntry, AuthRequestId, DeliveryId, Event, EventId, Invite,
                LogEntry, SecretDigest, Snapshot, Suppression, Tally, TemplateEntry, TemplateKey, TemplateVersion,
                Timestamp, TokenDigest,
            };
            use ::postern_core::ports::{
                Accept, Amend, Desk, Engine, Log, LogPage, LogQuery, Receive, Reception, Registry, StoreError,
                SuppressionPlace, TemplateShelf,
            };

            #[::async_trait::async_trait]
            impl Engine for $wrapper {
                async fn close(&self) {
                    self.$read().close().await;
                }

                fn shared(&self) -> bool {
                    self.$read().shared()
                }

                fn waiting(&self) -> usize {
                    self.$read().waiting()
                }
            }

            $crate::forward_other_ports! { @port $wrapper, Registry:
                $read revision() -> u64;
                $read snapshot() -> Snapshot;
                $write amend(amend: Amend) -> Result<Snapshot, Error>;
            }
            $crate::forward_other_ports! { @port $wrapper, Log:
                $write project() -> bool;
                $read log(query: LogQuery) -> LogPage;
                $read find_logged(id: AuthRequestId) -> Option<LogEntry>;
                $read refusals(address: AddressKey) -> Vec<Event>;
                $read tallies(from: Timestamp, to: Timestamp, minutes: u32) -> Vec<(Timestamp, Tally)>;
            }
            $crate::forward_other_ports! { @port $wrapper, Desk:
                $write put_invite(invite: Invite) -> ();
                $read find_invite(digest: TokenDigest) -> Option<Invite>;
                $write accept_invite(digest: TokenDigest, accept: Accept) -> Option<(Invite, Snapshot)>;
                $write put_session(session: AdminSession, since: Timestamp) -> ();
                $read find_session(digest: TokenDigest) -> Option<(AdminSession, AdminAccount)>;
                $write see_session(digest: TokenDigest, at: Timestamp) -> bool;
                $read sessions() -> Vec<AdminSession>;
                $write end_session(digest: TokenDigest) -> bool;
                $write see_secret(digest: SecretDigest, at: Timestamp) -> ();
                $read secrets_seen() -> Vec<(SecretDigest, Timestamp)>;
                $write note(entry: AuditEntry) -> ();
                $read audit(before: Option<EventId>, limit: u16) -> Vec<(EventId, AuditEntry)>;
            }
            $crate::forward_other_ports! { @port $wrapper, Reception:
                $write receive(id: DeliveryId, rule: Receive) -> Option<bool>;
                $write suppress(suppression: Suppression) -> ();
                $write unsuppress(address: AddressKey) -> bool;
                $read find_suppression(address: AddressKey) -> Option<Suppression>;
                $read suppressions(now: Timestamp, place: Option<SuppressionPlace>, limit: u16) -> Vec<Suppression>;
            }
            $crate::forward_other_ports! { @port $wrapper, TemplateShelf:
                $read template_version(key: &TemplateKey, number: u32) -> Option<TemplateVersion>;
                $read template_history(key: &TemplateKey) -> Vec<TemplateEntry>;
            }
        };
    };
    (@port $wrapper:ty, $port:ident: $($through:ident $act:ident($($name:ident: $kind:ty),*) -> $told:ty;)*) => {
        #[::async_trait::async_trait]
        impl $port for $wrapper {
            $(async fn $act(&self, $($name: $kind),*) -> Result<$told, StoreError> {
                self.$through().$act($($name),*).await
            })*
        }
    };
}
