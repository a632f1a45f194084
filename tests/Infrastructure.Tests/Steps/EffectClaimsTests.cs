using Npgsql;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Consuming;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Claims;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>
/// An effect that the outside world sees before we can commit is published first: whoever comes later knows.
/// </summary>
public sealed class EffectClaimsTests : SystemFixture
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortLease = TimeSpan.FromMilliseconds(200);

    private EffectClaims Claims => new(TestSystem.Database.Source);

    [Test]
    public async Task The_first_claim_is_granted_and_leaves_a_pending_effect()
    {
        var run = RunOf(Guid.NewGuid());
        Assert.That(await run.ClaimAsync(Lease, "reference", CancellationToken.None), Is.EqualTo(EffectClaim.Granted));
        Assert.That(await StateAsync(run), Is.EqualTo(EffectState.Pending));
        Assert.That(await TestSystem.StatusAsync(run.SubjectId, run.Step), Is.EqualTo(StepStatus.Running));
    }

    [Test]
    public async Task A_claim_says_when_its_attempt_began_also_after_attempts_that_failed()
    {
        var run = RunOf(Guid.NewGuid());
        await TestSystem.Database.ExecuteAsync(
            $"""
            insert into step_runs (subject_id, step, status, attempts, started_at, attempt_started_at)
            values ($1, $2, {StepStatus.Retrying:D}, 3, now() - interval '1 hour', now() - interval '30 minutes')
            """,
            run.SubjectId,
            run.Step
        );
        await run.ClaimAsync(Lease, null, CancellationToken.None);
        Assert.That(
            await TestSystem.Database.CountAsync(
                """
                step_runs where subject_id = $1 and started_at < now() - interval '50 minutes'
                    and attempt_started_at > now() - interval '20 minutes'
                """,
                run.SubjectId
            ),
            Is.EqualTo(1)
        );
    }

    [Test]
    public async Task A_committed_claim_is_done_for_ever()
    {
        var subject = Guid.NewGuid();
        var run = RunOf(subject);
        await run.ClaimAsync(Lease, null, CancellationToken.None);
        await using (var process = new OneProcess(TestSystem))
            Assert.That(await process.Committer.CommitAsync(run), Is.True);

        Assert.That(await StateAsync(run), Is.EqualTo(EffectState.Done));
        Assert.That(
            await RunOf(subject).ClaimAsync(Lease, null, CancellationToken.None),
            Is.EqualTo(EffectClaim.AlreadyDone)
        );
    }

    [Test]
    public async Task A_claim_in_progress_says_until_when()
    {
        var subject = Guid.NewGuid();
        await RunOf(subject).ClaimAsync(Lease, null, CancellationToken.None);
        var busy = Assert.ThrowsAsync<EffectInProgressException>(() =>
            RunOf(subject).ClaimAsync(Lease, null, CancellationToken.None)
        );
        Assert.That(busy.Until, Is.EqualTo(DateTimeOffset.UtcNow + Lease).Within(TimeSpan.FromSeconds(10)));
    }

    [Test]
    public async Task After_the_lease_the_effect_may_have_happened()
    {
        var subject = Guid.NewGuid();
        await RunOf(subject).ClaimAsync(ShortLease, null, CancellationToken.None);
        await LeaseEndsAsync(subject);
        Assert.That(
            await RunOf(subject).ClaimAsync(Lease, null, CancellationToken.None),
            Is.EqualTo(EffectClaim.MaybeDone)
        );
    }

    [Test]
    public async Task A_released_claim_is_granted_again()
    {
        var subject = Guid.NewGuid();
        var run = RunOf(subject);
        await run.ClaimAsync(Lease, null, CancellationToken.None);
        await run.ReleaseClaimAsync();
        Assert.That(
            await RunOf(subject).ClaimAsync(Lease, null, CancellationToken.None),
            Is.EqualTo(EffectClaim.Granted)
        );
    }

    [Test]
    public async Task A_run_that_lost_its_claim_cannot_release_it()
    {
        var subject = Guid.NewGuid();
        var late = RunOf(subject);
        await late.ClaimAsync(ShortLease, null, CancellationToken.None);
        await LeaseEndsAsync(subject);
        await RunOf(subject).ClaimAsync(Lease, null, CancellationToken.None);

        await late.ReleaseClaimAsync();
        Assert.ThrowsAsync<EffectInProgressException>(() =>
            RunOf(subject).ClaimAsync(Lease, null, CancellationToken.None)
        );
    }

    // Two deliveries of one message: only the token tells their claims apart.
    [Test]
    public async Task A_late_run_of_the_same_message_cannot_release_its_successors_claim()
    {
        var (late, next) = await LateAndNextAsync();

        await late.ReleaseClaimAsync();
        Assert.That(await StateAsync(next), Is.EqualTo(EffectState.Pending));
        Assert.ThrowsAsync<EffectInProgressException>(() =>
            RunOf(late.SubjectId).ClaimAsync(Lease, null, CancellationToken.None)
        );

        await next.ReleaseClaimAsync();
        Assert.That(
            await RunOf(late.SubjectId).ClaimAsync(Lease, null, CancellationToken.None),
            Is.EqualTo(EffectClaim.Granted),
            "after its owner has released it"
        );
    }

    [Test]
    public async Task A_late_run_of_the_same_message_cannot_give_up_its_successors_claim()
    {
        var (late, next) = await LateAndNextAsync();

        Assert.ThrowsAsync<EffectInProgressException>(() => late.GiveUpAsUncertainAsync("reference"));
        Assert.That(await StateAsync(next), Is.EqualTo(EffectState.Pending));

        Assert.ThrowsAsync<UncertainEffectException>(() => next.GiveUpAsUncertainAsync("reference"));
        Assert.That(await StateAsync(next), Is.EqualTo(EffectState.Uncertain));
    }

    [Test]
    public async Task A_run_that_lost_its_claim_cannot_commit_it()
    {
        // Frozen for longer than its lease, then thawed: the other run owns the effect now.
        var subject = Guid.NewGuid();
        var frozen = RunOf(subject);
        await frozen.ClaimAsync(ShortLease, null, CancellationToken.None);
        await LeaseEndsAsync(subject);
        await RunOf(subject).ClaimAsync(Lease, null, CancellationToken.None);

        await using var process = new OneProcess(TestSystem);
        Assert.That(await process.Committer.CommitAsync(frozen), Is.False);
    }

    [Test]
    public async Task An_effect_given_up_as_uncertain_is_not_begun_again()
    {
        var subject = Guid.NewGuid();
        var run = RunOf(subject);
        await run.ClaimAsync(Lease, "reference", CancellationToken.None);
        Assert.ThrowsAsync<UncertainEffectException>(() => run.GiveUpAsUncertainAsync("reference"));
        Assert.That(await StateAsync(run), Is.EqualTo(EffectState.Uncertain));
        Assert.ThrowsAsync<UncertainEffectException>(() =>
            RunOf(subject).ClaimAsync(Lease, null, CancellationToken.None)
        );
    }

    [Test]
    public async Task Of_twenty_claims_at_once_exactly_one_is_granted()
    {
        for (var round = 0; round < 20; round++)
        {
            var subject = Guid.NewGuid();
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TryAsync(RunOf(subject))));
            Assert.That(answers.Count(a => a == EffectClaim.Granted), Is.EqualTo(1));
            Assert.That(answers.Count(a => a is null), Is.EqualTo(19), "in progress");
        }
    }

    // In one process they share a statement.
    [Test]
    public async Task Of_many_claims_of_one_process_each_effect_is_granted_once_and_each_run_hears_of_its_own()
    {
        await using var claims = new EffectClaims(TestSystem.Database.Source);
        var (done, uncertain, lapsed) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var run = RunOf(done);
        await run.ClaimAsync(Lease, null, CancellationToken.None);
        await using (var process = new OneProcess(TestSystem))
            Assert.That(await process.Committer.CommitAsync(run), Is.True);
        run = RunOf(uncertain);
        await run.ClaimAsync(Lease, null, CancellationToken.None);
        Assert.ThrowsAsync<UncertainEffectException>(() => run.GiveUpAsUncertainAsync(null));
        await RunOf(lapsed).ClaimAsync(ShortLease, null, CancellationToken.None);
        await LeaseEndsAsync(lapsed);
        var fresh = Enumerable.Range(0, 40).Select(_ => Guid.NewGuid()).ToArray();

        // Each three times, all at once.
        var asked = fresh
            .Append(lapsed)
            .Append(done)
            .SelectMany(subject => Enumerable.Repeat(subject, 3))
            .Select(subject => (subject, TryAsync(RunOf(subject, claims))))
            .ToArray();
        var given = Assert.ThrowsAsync<UncertainEffectException>(() =>
            RunOf(uncertain, claims).ClaimAsync(Lease, "mine", CancellationToken.None)
        );
        await Task.WhenAll(asked.Select(a => a.Item2));
        Assert.That(given.Message, Does.Contain($"{uncertain}"));
        foreach (var subject in fresh)
            Assert.That(AnswersOf(subject), Is.EquivalentTo(new EffectClaim?[] { EffectClaim.Granted, null, null }));
        Assert.That(AnswersOf(lapsed), Is.EquivalentTo(new EffectClaim?[] { EffectClaim.MaybeDone, null, null }));
        Assert.That(
            AnswersOf(done),
            Is.EquivalentTo(
                new EffectClaim?[] { EffectClaim.AlreadyDone, EffectClaim.AlreadyDone, EffectClaim.AlreadyDone }
            )
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                "step_runs where subject_id = any($1) and status = $2",
                fresh,
                (short)StepStatus.Running
            ),
            Is.EqualTo(fresh.Length)
        );

        IEnumerable<EffectClaim?> AnswersOf(Guid subject) =>
            asked.Where(a => a.subject == subject).Select(a => a.Item2.Result);
    }

    // The database stalls in a claim's commit, the connection breaks, and the server goes on.
    [Test]
    public async Task An_unanswered_claim_that_commits_late_is_taken_back()
    {
        var source = new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString);
        await using var network = new TcpProxy(source.Host!, source.Port);
        (source.Host, source.Port) = ("127.0.0.1", network.Port);
        await using var database = NpgsqlDataSource.Create(source.ConnectionString);
        await using var claims = new EffectClaims(database);
        var (subject, message) = (Guid.NewGuid(), Guid.NewGuid());
        await TestSystem.Database.ExecuteAsync(
            $"""
            create function commit_late() returns trigger language plpgsql as
                'begin perform pg_advisory_xact_lock_shared(4711); return null; end';
            create constraint trigger commits_late after insert on effects deferrable initially deferred
                for each row when (new.subject_id = '{subject}') execute function commit_late()
            """
        );
        var late = RunOf(subject, claims, message);
        Task takenBack;
        await using (var stall = await TestSystem.Database.Source.OpenConnectionAsync())
        {
            await using var transaction = await stall.BeginTransactionAsync();
            await using (var hold = new NpgsqlCommand("select pg_advisory_xact_lock(4711)", stall))
                await hold.ExecuteNonQueryAsync();
            var claim = late.ClaimAsync(Lease, null, CancellationToken.None);
            await Eventually.Is(() => IsWaitedForAsync("advisory"), "the claim is in its commit");
            network.Cut();
            Assert.That(() => claim, Throws.InstanceOf<NpgsqlException>());

            network.Restore();
            takenBack = late.SettleOpenClaimAsync(CancellationToken.None);
            await Eventually.Is(
                async () => takenBack.IsCompleted || await IsWaitedForAsync("transactionid"),
                "it waits for that commit, or does not"
            );
        }

        await takenBack;
        await Eventually.Is(async () => !await IsWaitedForAsync("advisory"), "the claim has committed");
        Assert.That(
            await RunOf(subject, message: message).ClaimAsync(Lease, null, CancellationToken.None),
            Is.EqualTo(EffectClaim.Granted)
        );
    }

    [Test]
    public async Task An_unanswered_claim_that_never_arrived_leaves_nothing_and_touches_nobody()
    {
        var subject = Guid.NewGuid();
        var lost = RunOf(subject);
        Lose(lost);
        await lost.SettleOpenClaimAsync(CancellationToken.None);
        Assert.That(await TestSystem.Database.CountAsync("effects where subject_id = $1", subject), Is.Zero);

        var other = RunOf(subject);
        await other.ClaimAsync(Lease, null, CancellationToken.None);
        Lose(lost);
        await lost.SettleOpenClaimAsync(CancellationToken.None);
        Assert.That(await StateAsync(other), Is.EqualTo(EffectState.Pending));
    }

    [Test]
    public async Task A_claim_that_is_cancelled_while_it_is_queued_leaves_nothing()
    {
        await using var claims = new EffectClaims(TestSystem.Database.Source);
        await using var stall = await StallAsync(claims);
        using var limit = new CancellationTokenSource();
        var run = RunOf(Guid.NewGuid(), claims);
        var taken = TakeBackAsync(run, run.ClaimAsync(Lease, null, limit.Token));
        await limit.CancelAsync();

        await stall.EndAsync();
        Assert.That(await taken, Is.InstanceOf<OperationCanceledException>());
        Assert.That(await RowsAsync(claims, run), Is.Zero, "claims with nobody behind them");
    }

    [Test]
    public async Task A_subject_that_is_cancelled_while_a_claim_is_queued_is_left_out_and_keeps_no_claim()
    {
        await using var claims = new EffectClaims(TestSystem.Database.Source);
        await using var process = new OneProcess(TestSystem);
        await using var stall = await StallAsync(claims);
        using var cancelled = new CancellationTokenSource();
        var run = RunOf(Guid.NewGuid(), claims);
        var skipped = SkipAsync(run.ClaimAsync(Lease, null, cancelled.Token));
        await cancelled.CancelAsync();

        await stall.EndAsync();
        Assert.That(await skipped, Is.EqualTo(SkipOutcome.LeftOut));
        Assert.That(await RowsAsync(claims, run), Is.Zero, "a compensation would take it for begun");

        async Task<SkipOutcome> SkipAsync(Task claim)
        {
            Assert.That(await FaultOfAsync(claim), Is.InstanceOf<OperationCanceledException>());
            return await process.Skips.TryAsync(run, StepStatus.Cancelled);
        }
    }

    // Granted, it would do the effect beside the next attempt.
    [Test]
    public async Task A_run_that_is_abandoned_while_its_claim_is_queued_is_not_granted_it()
    {
        await using var claims = new EffectClaims(TestSystem.Database.Source);
        await using var stall = await StallAsync(claims);
        var (subject, message) = (Guid.NewGuid(), Guid.NewGuid());
        var abandoned = RunOf(subject, claims, message);
        var claim = abandoned.ClaimAsync(Lease, null, CancellationToken.None);
        abandoned.Abandon("a place");
        var takenBack = abandoned.SettleOpenClaimAsync(CancellationToken.None);

        await stall.EndAsync();
        Assert.That(await FaultOfAsync(claim), Is.TypeOf<StepTimeoutException>());
        await takenBack;
        Assert.That(
            await RunOf(subject, message: message).ClaimAsync(Lease, null, CancellationToken.None),
            Is.EqualTo(EffectClaim.Granted),
            "to the next attempt"
        );
    }

    [Test]
    public async Task A_run_that_is_abandoned_after_its_claim_keeps_it()
    {
        var run = RunOf(Guid.NewGuid());
        await run.ClaimAsync(Lease, null, CancellationToken.None);
        run.Abandon("a place");
        await run.SettleOpenClaimAsync(CancellationToken.None);
        Assert.That(await StateAsync(run), Is.EqualTo(EffectState.Pending), "it may be at its call");
    }

    [Test]
    public async Task A_claim_that_is_cancelled_while_it_takes_over_a_dead_ones_stays()
    {
        await using var claims = new EffectClaims(TestSystem.Database.Source);
        var (dead, next) = await DeadAndNextAsync(claims);
        await using var stall = await StallAsync(claims);
        using var limit = new CancellationTokenSource();
        var taken = TakeBackAsync(next, next.ClaimAsync(ShortLease, null, limit.Token));
        await limit.CancelAsync();

        await stall.EndAsync();
        Assert.That(await taken, Is.InstanceOf<OperationCanceledException>());
        Assert.That(await StateAsync(dead), Is.EqualTo(EffectState.Pending), "the dead run may have done the effect");
        await LeaseEndsAsync(dead.SubjectId);
        Assert.That(
            await RunOf(dead.SubjectId).ClaimAsync(Lease, null, CancellationToken.None),
            Is.EqualTo(EffectClaim.MaybeDone)
        );
    }

    [Test]
    public async Task A_step_that_catches_the_fault_of_its_claim_may_claim_again()
    {
        var run = RunOf(Guid.NewGuid());
        Lose(run);
        Assert.That(await run.ClaimAsync(Lease, null, CancellationToken.None), Is.EqualTo(EffectClaim.Granted));
        Assert.That(run.HasOpenClaim, Is.False);
    }

    private static void Lose(StepRun run) =>
        Assert.That(
            run.Claim.TryBegin(
                run.Effect,
                Lease,
                () => Task.FromException<ClaimAnswer?>(new NpgsqlException("The connection broke.")),
                out _
            )
        );

    // The committer of these claims is at a batch until the stall ends: what comes now waits in its queue.
    private async Task<ClaimStall> StallAsync(EffectClaims claims)
    {
        var stall = await ClaimStall.BeginAsync(TestSystem.Database);
        _ = RunOf(stall.Subject, claims).ClaimAsync(Lease, null, CancellationToken.None);
        await stall.IsMetAsync();
        return stall;
    }

    // As the stage behind a run does.
    private static async Task<Exception?> TakeBackAsync(StepRun run, Task claim)
    {
        var fault = await FaultOfAsync(claim);
        await run.SettleOpenClaimAsync(CancellationToken.None);
        return fault;
    }

    private static async Task<Exception?> FaultOfAsync(Task claim)
    {
        await claim.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return claim.IsCanceled ? new TaskCanceledException(claim) : claim.Exception?.InnerException;
    }

    // One more claim of this process: all that was queued before is committed then.
    private async Task<int> RowsAsync(EffectClaims claims, StepRun run)
    {
        await RunOf(Guid.NewGuid(), claims).ClaimAsync(Lease, null, CancellationToken.None);
        return (int)await TestSystem.Database.CountAsync("effects where subject_id = $1", run.SubjectId);
    }

    private async Task<(StepRun Dead, StepRun Next)> DeadAndNextAsync(EffectClaims claims)
    {
        var dead = RunOf(Guid.NewGuid());
        await dead.ClaimAsync(ShortLease, null, CancellationToken.None);
        await LeaseEndsAsync(dead.SubjectId);
        return (dead, RunOf(dead.SubjectId, claims));
    }

    private Task<bool> IsWaitedForAsync(string lockType) =>
        TestSystem.Database.ScalarAsync<bool>(
            """
            select exists (select from pg_locks l join pg_stat_activity a using (pid)
                where not l.granted and l.locktype = $1 and a.datname = current_database())
            """,
            lockType
        );

    private static async Task<EffectClaim?> TryAsync(StepRun run)
    {
        try
        {
            return await run.ClaimAsync(Lease, null, CancellationToken.None);
        }
        catch (EffectInProgressException)
        {
            return null;
        }
    }

    private async Task<(StepRun Late, StepRun Next)> LateAndNextAsync()
    {
        var (subject, message) = (Guid.NewGuid(), Guid.NewGuid());
        var late = RunOf(subject, message: message);
        await late.ClaimAsync(ShortLease, "reference", CancellationToken.None);
        await LeaseEndsAsync(subject);
        var next = RunOf(subject, message: message);
        Assert.That(
            await next.ClaimAsync(Lease, "reference", CancellationToken.None),
            Is.EqualTo(EffectClaim.MaybeDone)
        );
        return (late, next);
    }

    private StepRun RunOf(Guid subject, EffectClaims? claims = null, Guid? message = null) =>
        new(CarefulStep.Policy, message ?? Guid.NewGuid(), subject, Guid.NewGuid(), 1, claims ?? Claims);

    private async Task<EffectState> StateAsync(StepRun run) =>
        (EffectState)
            await TestSystem.Database.ScalarAsync<short>(
                "select state from effects where subject_id = $1 and effect = $2",
                run.SubjectId,
                run.Effect
            );

    private Task LeaseEndsAsync(Guid subject) =>
        Eventually.Is(
            () =>
                TestSystem.Database.ScalarAsync<bool>(
                    "select lease_until <= now() from effects where subject_id = $1",
                    subject
                ),
            "the lease has ended"
        );
}
