namespace Orders.Workers.Webhooks;

/// <summary>
/// Keeps one web hook from taking the places of all others: at most five calls to one at a time in this process. After
/// a failure one at a time, with growing waits in between, up to five minutes; a success ends that. Deliveries that
/// have to wait do so in the outbox and count no attempt; each is told a time of its own to come back.
/// In memory only: a process that starts anew finds out by its first call to each. What is kept is one entry for each
/// web hook that is being called or whose last call failed.
/// </summary>
/// <param name="clock">Tells how much time has passed.</param>
public sealed class WebhookGate(TimeProvider clock)
{
    private const int MostCalls = 5;

    // By then the pauses are at their longest, ten minutes after the first failure.
    internal const int ManyFailures = 9;

    /// <summary>
    /// How long an address that takes nothing lets a delivery wait without an attempt of its own.
    /// </summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    // Parts of a pause: as many deliveries come back in the time of one.
    private const int PlacesInPause = 60;

    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    // Until a call has ended, one is taken to last a second.
    private static readonly TimeSpan UsualCall = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestGap = TimeSpan.FromMilliseconds(5);

    // Beyond this the places begin anew from the first: an address that is well again gets its backlog soon.
    private static readonly TimeSpan Lap = TimeSpan.FromMinutes(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, State> _states = [];

    /// <summary>How many web hooks are being called, or have refused their last call.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _states.Count;
        }
    }

    /// <summary>Asks for a place. Whoever gets one must <see cref="Leave"/>.</summary>
    public GatePass TryEnter(Guid webhook)
    {
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            if (!_states.TryGetValue(webhook, out var state))
                _states[webhook] = state = new State();
            if (state.Failures > 0 && state.ClosedUntil > now)
                return new GatePass(Place(state, state.ClosedUntil, now), state.Failures);
            if (state.Calls >= (state.Failures > 0 ? 1 : MostCalls))
                return new GatePass(Place(state, now + Ticks(Busy), now), 0);
            state.Calls++;
            return new GatePass { EnteredAt = now };
        }
    }

    // Everyone who waits gets a time of its own to come back, so a backlog neither comes in one herd nor comes in vain.
    private TimeSpan Place(State state, long first, long now)
    {
        var place = state.NextPlace > first && state.NextPlace < first + Ticks(Lap) ? state.NextPlace : first;
        state.NextPlace = place + Ticks(state.Gap);
        return clock.GetElapsedTime(now, place);
    }

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);

    /// <summary>A call has ended.</summary>
    /// <param name="webhook">The web hook.</param>
    /// <param name="pass">What <see cref="TryEnter"/> answered.</param>
    /// <param name="hasFailed">Whether it failed; null when it says nothing about the address.</param>
    /// <param name="asked">The wait that the address asked for.</param>
    public void Leave(Guid webhook, GatePass pass, bool? hasFailed, TimeSpan asked = default)
    {
        lock (_lock)
        {
            var state = _states[webhook];
            state.Calls--;
            if (hasFailed is true)
            {
                // The places handed out so far were for another pace.
                if (state.Failures++ == 0)
                    state.NextPlace = 0;
                var pause = TimeSpan.FromSeconds(Math.Pow(2, Math.Min(state.Failures, 10)));
                pause = asked > pause ? asked : pause;
                pause = pause < LongestPause ? pause : LongestPause;
                state.ClosedUntil = clock.GetTimestamp() + Ticks(pause);
                state.Gap = pause / PlacesInPause;
            }
            else if (hasFailed is false)
            {
                if (state.Failures > 0)
                    state.NextPlace = 0;
                state.Failures = 0;
                var gap = clock.GetElapsedTime(pass.EnteredAt) / MostCalls;
                state.Gap = gap > ShortestGap ? gap : ShortestGap;
            }

            if (state is { Calls: 0, Failures: 0 })
                _states.Remove(webhook);
        }
    }

    private sealed class State
    {
        public int Calls { get; set; }

        public int Failures { get; set; }

        public long ClosedUntil { get; set; }

        public long NextPlace { get; set; }

        public TimeSpan Gap { get; set; } = UsualCall / MostCalls;
    }
}

/// <summary>The answer of <see cref="WebhookGate.TryEnter"/>.</summary>
/// <param name="Wait">How long to wait before asking again; null for a place.</param>
/// <param name="Failures">How many calls have failed in a row, if the wait is because of them; else 0.</param>
public readonly record struct GatePass(TimeSpan? Wait, int Failures)
{
    /// <summary>The clock's time stamp when a place was given.</summary>
    public long EnteredAt { get; init; }

    /// <summary>
    /// Whether to give up: after many failures, the last of them within minutes, and never because other deliveries
    /// are being made. So an address gets another chance before anything is given up that waited while the step was
    /// paused.
    /// </summary>
    /// <param name="waited">How long the delivery has waited without an attempt.</param>
    public bool IsHopeless(TimeSpan waited) =>
        Wait is not null && Failures >= WebhookGate.ManyFailures && waited > WebhookGate.LongestWait;
}
