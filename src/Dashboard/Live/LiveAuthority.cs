using System.Data.Common;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Login;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Live;

/// <summary>
/// Whether the viewer of a stream may still look: a stream must not outlive a logout, its session, its operator or the
/// operator's role.
/// </summary>
internal sealed class LiveAuthority(OperatorSessions sessions, KnownSessions known, TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    /// <summary>Begins to look after the request's session.</summary>
    public Watched Watch(HttpContext http) => new(sessions, known, time, http);

    /// <summary>The session of one stream.</summary>
    internal sealed class Watched(OperatorSessions sessions, KnownSessions known, TimeProvider time, HttpContext http)
    {
        private readonly Actor _actor = Actor.Of(http);
        private readonly string _secret = SessionCookie.SecretOf(http) ?? "";
        private long _askedAt = time.GetTimestamp();

        /// <summary>
        /// Whether it is as it was. Asked of the database every few seconds; while that is away, for as long as pages
        /// are shown.
        /// </summary>
        public async Task<bool> HoldsAsync(CancellationToken cancellationToken)
        {
            if (time.GetElapsedTime(_askedAt) < Every)
                return true;
            _askedAt = time.GetTimestamp();
            try
            {
                var now = await known.FindAsync(
                    _secret,
                    token => sessions.FindAsync(_secret, isActive: false, token),
                    Every / 2,
                    cancellationToken
                );
                return now is not null && now.Name == _actor.Name && now.Role == _actor.Role;
            }
            catch (Exception away) when (away is DbException or TimeoutException or UnknownCredentialsBusyException)
            {
                // Not known for so long that pages are not shown either.
                return false;
            }
        }
    }
}
