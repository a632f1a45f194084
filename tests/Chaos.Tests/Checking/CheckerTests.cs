using Orders.Chaos.Checking;

namespace Orders.Chaos.Tests.Checking;

/// <summary>Each invariant on evidence that breaks it and nothing else. The evidence here is made up; that the checker catches a system that really is broken is shown by the variants.</summary>
public sealed class CheckerTests
{
    private static readonly Guid Done = Guid.NewGuid();
    private static readonly Guid Rejected = Guid.NewGuid();
    private static readonly Guid Parked = Guid.NewGuid();
    private static readonly Guid Message = Guid.NewGuid();
    private static readonly Redrive Redriven = new(new RedriveTotals(Guid.NewGuid(), "why", "Done", null, 2, 0, 0, 1, 1, 0), 2,
    [
        new(Guid.NewGuid(), Done, "inventory", RedrivenState.Done), new(Guid.NewGuid(), Parked, "email", RedrivenState.FailedAgain),
    ]);

    // One order of each kind, everything as it should be.
    private static readonly Evidence Good = new()
    {
        Posted =
        [
            new("key-done", "done@example.com", Outcome.Accepted, [Done], [new("MUG", 2)]),
            new("key-rejected", "rejected@example.com", Outcome.Accepted, [Rejected], [new("BOWL", 1)]),
            new("key-parked", "parked@example.com", Outcome.Accepted, [Parked], [new("MUG", 1)]),
            new("key-refused", "refused@example.com", Outcome.Refused, [], []),
        ],
        Orders =
        [
            new(Done, "done@example.com", OrderEnd.Completed, "EUR", 20m, [new("MUG", 2)]),
            new(Rejected, "rejected@example.com", OrderEnd.Rejected, "EUR", 30m, [new("BOWL", 1)]),
            new(Parked, "parked@example.com", OrderEnd.Parked, "EUR", 10m, [new("MUG", 1)]),
        ],
        OpenSteps = [new(Rejected, "inventory", "Rejected"), new(Parked, "email", "Parked")],
        Mails = [new("email.1@x", "done@example.com"), new("email.2@x", "rejected@example.com"), new("apology.2@x", "rejected@example.com")],
        WarehouseCalls = [new(Done, "w1"), new(Parked, "w2")],
        Invoices = [new(Done, 1, "EUR", 20m, null), new(Parked, 2, "EUR", 10m, null)],
        Movements = [new(Done, "MUG", -2), new(Parked, "MUG", -1)],
        Stock = [new("MUG", 10, 7), new("BOWL", 0, 0)],
        Waiting = new Dictionary<string, long> { ["email"] = 0 },
        Parked = [new("email_error", Message, Parked)],
        Index = [new("email_error", Message)],
        Redrives = [Redriven],
        Stops = [new("email", 0, TimeSpan.FromSeconds(1), TimeSpan.Zero)],
    };

    private static readonly Dictionary<string, Func<Evidence, Evidence>> Breaks = new()
    {
        ["accepted orders are stored"] = e => e with { Posted = [.. e.Posted, new("k", "gone@example.com", Outcome.Accepted, [Guid.NewGuid()], [])] },
        ["orders are stored as posted"] = e => e with { Posted = [.. e.Posted.Select(p => p.Key == "key-done" ? p with { Lines = [new("MUG", 3)] } : p)] },
        ["accepted orders come to an end"] = e => e with { Posted = [.. e.Posted, new("k", "open@example.com", Outcome.Unknown, [], [])], Orders = [.. e.Orders, new(Guid.NewGuid(), "open@example.com", OrderEnd.Open, "EUR", 1m, [])] },
        ["one order per key"] = e => e with { Orders = [.. e.Orders, e.Orders[1] with { Id = Guid.NewGuid() }] },
        ["the API never answers 500"] = e => e with { ServerErrors = ["key-done"] },
        ["nothing stored that was never posted"] = e => e with { Orders = [.. e.Orders, new(Guid.NewGuid(), "nobody@example.com", OrderEnd.Cancelled, "EUR", 1m, [])] },
        ["nothing stored that was refused"] = e => e with { Orders = [.. e.Orders, new(Guid.NewGuid(), "refused@example.com", OrderEnd.Cancelled, "EUR", 1m, [])] },
        ["a mail for each order"] = e => e with { Mails = [.. e.Mails.Skip(1)] },
        ["an apology for each rejected order"] = e => e with { Mails = [.. e.Mails.Take(2)] },
        ["no mail twice"] = e => e with { Mails = [.. e.Mails, e.Mails[0] with { MessageId = "another@x" }] },
        ["no mail to strangers"] = e => e with { Mails = [.. e.Mails, new("email.9@x", "stranger@example.com")] },
        ["an invoice for each completed order"] = e => e with { Invoices = [e.Invoices[1] with { Number = 1 }] },
        ["no invoice twice"] = e => e with { Invoices = [.. e.Invoices, e.Invoices[1] with { Number = 3 }] },
        ["a stock movement for each line"] = e => e with { Movements = [new(Done, "MUG", -1), e.Movements[1]], Stock = [new("MUG", 10, 8), e.Stock[1]] },
        ["no stock moved twice"] = e => e with { Movements = [.. e.Movements, e.Movements[0]], Stock = [new("MUG", 10, 5), e.Stock[1]] },
        ["the warehouse told of each completed order"] = e => e with { WarehouseCalls = [e.WarehouseCalls[1]] },
        ["the warehouse told once"] = e => e with { WarehouseCalls = [.. e.WarehouseCalls, new(Done, "w3")] },
        ["nothing done for rejected orders"] = e => e with { WarehouseCalls = [.. e.WarehouseCalls, new(Rejected, "w3")] },
        ["uncertain effects within the kills"] = e => e with { OpenEffects = [new(Parked, "email", true)] },
        ["stock adds up and is never below zero"] = e => e with { Stock = [new("MUG", 10, 8), e.Stock[1]] },
        ["invoices have the amount of their order"] = e => e with { Invoices = [e.Invoices[0], e.Invoices[1] with { Total = 11m }] },
        ["money adds up per currency"] = e => e with { Invoices = [e.Invoices[0] with { Total = 19m }, e.Invoices[1]] },
        ["invoice numbers have no gap"] = e => e with { Invoices = [e.Invoices[0], e.Invoices[1] with { Number = 3 }] },
        ["documents open and match their checksum"] = e => e with { Invoices = [e.Invoices[0] with { DocumentProblem = "does not open" }, e.Invoices[1]] },
        ["the outbox is empty"] = e => e with { Unsent = [Guid.NewGuid()] },
        ["the queues are empty"] = e => e with { Waiting = new Dictionary<string, long> { ["email"] = 1 } },
        ["each step has its queues"] = e => e with { MissingQueues = ["email"] },
        ["no effect is left half done"] = e => e with { OpenEffects = [new(Done, "email", false)] },
        ["a message for each parked step"] = e => e with { Parked = [], Index = [] },
        ["a parked step for each message"] = e => e with { Parked = [.. e.Parked, new("unrouted", Guid.Empty, Done)], Index = [.. e.Index!, new("unrouted", Guid.Empty)] },
        ["a parked message stands in one place"] = e => e with { Parked = [.. e.Parked, e.Parked[0]] },
        ["the index of failures is what stands in the queues"] = e => e with { Index = [] },
        ["redrives come to an end"] = e => e with { Redrives = [Redriven with { Totals = Redriven.Totals with { Stage = "Ramp" } }] },
        ["redrives add up"] = e => e with { Redrives = [Redriven with { Totals = Redriven.Totals with { Total = 3 }, Promised = 3 }] },
        ["a parked message is redriven once"] = e => e with { Redrives = [Redriven, Redriven with { Totals = Redriven.Totals with { Id = Guid.NewGuid(), Total = 1, FailedAgain = 0 }, Promised = 1, Messages = [Redriven.Messages[0]] }] },
        ["what a redrive says is done is done"] = e => e with { Redrives = [Redriven with { Messages = [Redriven.Messages[0] with { OrderId = Parked, Step = "email" }, Redriven.Messages[1]] }] },
        ["nothing stays parked after the last redrive"] = e => e with { AllRedriven = true },
        ["workers that are asked to stop end with 0"] = e => e with { Stops = [new("email", 137, TimeSpan.FromSeconds(30), TimeSpan.Zero)] },
    };

    // Some things cannot be wrong alone: an invoice with another amount makes the sum wrong too.
    private static readonly Dictionary<string, string[]> Also = new()
    {
        ["an invoice for each completed order"] = ["money adds up per currency"],
        ["money adds up per currency"] = ["invoices have the amount of their order"],
    };

    private static IEnumerable<string> Names => Checker.Invariants.Select(i => i.Name);

    [Test]
    public void Good_books_break_nothing() => Assert.Multiple(() =>
    {
        Assert.That(Checker.Check(Good).Broken, Is.Empty);
        Assert.That(Checker.Check(Good).ToString(), Is.EqualTo("lost 0, duplicates 0, stuck 0"));
    });

    [TestCaseSource(nameof(Names))]
    public void Each_invariant_is_broken_by_what_it_forbids(string name)
    {
        var findings = Checker.Check(Breaks[name](Good));
        Assert.That(findings.Broken, Is.EquivalentTo([name, .. Also.GetValueOrDefault(name, [])]));
        Assert.That(findings.Hold, Is.False);
    }

    [Test]
    public void A_redrive_adds_up_with_what_was_promised_and_with_what_is_stored() => Assert.Multiple(() =>
    {
        Assert.That(AddsUp(Redriven), Is.Empty);
        Assert.That(AddsUp(Redriven with { Promised = null }), Is.Empty, "the answer was lost");
        Assert.That(AddsUp(Redriven with { Promised = 3 }).Single(), Does.Contain("3 messages were promised, its total is 2"));
        Assert.That(AddsUp(Redriven with { Totals = Redriven.Totals with { FailedAgain = 0 } })[0], Does.Contain("its counts make 1, its total is 2"));
        Assert.That(AddsUp(Redriven with { Totals = Redriven.Totals with { Done = 2, FailedAgain = 0 } }), Has.Count.EqualTo(2).And.Some.EndsWith("2 are said to be Done, 1 are"));
        Assert.That(AddsUp(Redriven with { Messages = [] }), Has.Count.EqualTo(2));
    });

    [Test]
    public void What_was_broken_before_the_last_redrive_is_broken()
    {
        var findings = Checker.Check(Good).And(Checker.Check(Breaks["the index of failures is what stands in the queues"](Good)));
        Assert.That(findings.Verdicts.Single(v => !v.Holds).Violations.Single(), Does.StartWith("before the last redrive: ").And.Contain(Message.ToString()));
        Assert.That(findings.Verdicts.Single(v => v.Invariant.Name == "the index of failures is what stands in the queues").Checked, Is.EqualTo(1));
    }

    [Test]
    public void A_violation_names_its_order()
    {
        var twice = Checker.Check(Breaks["no mail twice"](Good)).Verdicts.Single(v => !v.Holds);
        Assert.That(twice.Violations.Single(), Does.Contain(Done.ToString()));
    }

    private static IReadOnlyList<string> AddsUp(Redrive redrive) => Checker.Check(Good with { Redrives = [redrive] }).Verdicts.Single(v => v.Invariant.Name == "redrives add up").Violations;

    [Test]
    public void Contradictions_are_in_the_closing_line_too() =>
        Assert.That(Checker.Check(Breaks["invoice numbers have no gap"](Good)).ToString(), Is.EqualTo("lost 0, duplicates 0, stuck 0, wrong 1"));
}
