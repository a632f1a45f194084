using Orders.Producer.Api.Orders;
using QueueWorkers.Steps;

namespace Orders.Producer.Api.Tests.Orders;

/// <summary>
/// A client asks for the faults of its orders to learn how the installation is built: hosts, ports, addresses, types,
/// replies of other systems. It gets a code and a sentence.
/// </summary>
internal sealed class ClientFaultTests : ApiFixture
{
    private static readonly string[] Recorded =
    [
        "MailNotSentException: The mail server smtp.internal:2525 could not be reached (10.0.0.7)",
        "PermanentFaultException: The mail server refused the mail for good: 550 relay smtp.internal",
        "StepTimeoutException: Step 'email' ran longer than its time limit of 30 s; at Orders.Workers.Email.Mailer",
        "RecipientDeferredException: The mail server refused the recipient for now: 450 smtp.internal",
        "WarehouseUnavailableException: The warehouse at smtp.internal:2525 answered 503",
        "EffectInProgressException: Effect 'email' was begun by another run",
        "NpgsqlException: Failed to connect to 10.0.0.7:2525",
        "dependency 'smtp.internal' is down; 10.0.0.7:2525 refused",
    ];

    private static readonly string[] Inner = ["smtp.internal", "2525", "10.0.0.7", "Exception", "Orders.", "Effect"];

    [Test]
    public async Task A_client_does_not_learn_hosts_ports_and_types_from_a_fault()
    {
        var id = await OrderAsync();
        foreach (var recorded in Recorded)
        {
            foreach (var status in new[] { StepStatus.Retrying, StepStatus.Failed, StepStatus.Uncertain })
            {
                await Database.ExecuteAsync(
                    "insert into step_runs (subject_id, step, status, attempts, last_fault) values ($1, 'email', $2, 2, $3) on conflict (subject_id, step) do update set status = excluded.status, last_fault = excluded.last_fault",
                    id,
                    (short)status,
                    recorded
                );
                var step = (await GetAsync($"/orders/{id}")).Body["steps"]!
                    .AsArray()
                    .Single(s => s!["step"]!.GetValue<string>() == "email")!;
                var text = $"{step["lastFault"]} {step["lastFaultCode"]}";
                foreach (var secret in Inner)
                    Assert.That(text, Does.Not.Contain(secret), $"{status}: {recorded}");
                Assert.That(step["lastFault"]!.GetValue<string>(), Does.EndWith("."));
                Assert.That(step["lastFaultCode"]!.GetValue<string>(), Does.Match("^[a-z-]+$"));
            }
        }
    }

    [TestCase(StepStatus.Retrying, "StepTimeoutException: x", "timed-out")]
    [TestCase(StepStatus.Retrying, "RecipientDeferredException: x", "recipient-deferred")]
    [TestCase(StepStatus.Retrying, "IOException: x", "unavailable")]
    [TestCase(StepStatus.Waiting, "smtp is down", "unavailable")]
    [TestCase(StepStatus.Failed, "PermanentFaultException: x", "refused")]
    [TestCase(StepStatus.Failed, "IOException: x", "failed")]
    [TestCase(StepStatus.Uncertain, "UncertainEffectException: x", "outcome-unknown")]
    [TestCase(StepStatus.Rejected, "x", "rejected")]
    [TestCase(StepStatus.Done, null, null)]
    [TestCase(StepStatus.Done, "IOException: x", null)]
    [TestCase(StepStatus.Skipped, "IOException: x", null)]
    [TestCase(StepStatus.Cancelled, "StepTimeoutException: x", null)]
    [TestCase(StepStatus.Expired, "RecipientDeferredException: x", null)]
    [TestCase(StepStatus.Failed, "Erased.", null)]
    public void A_fault_of_a_step_has_a_code(StepStatus status, string? recorded, string? code) =>
        Assert.That(ClientFault.OfStep(status, recorded)?.Code, Is.EqualTo(code));

    [TestCase(
        "WebhookFailedException: Expected 2xx from shop.example, found 503 at proxy.internal",
        "unexpected-answer"
    )]
    [TestCase(
        "PermanentFaultException: shop.example answered 410 Gone: the address wants no more",
        "unexpected-answer"
    )]
    [TestCase("WebhookFailedException: shop.example did not answer within Webhooks:Timeout of 10 s.", "no-answer")]
    [TestCase(
        "PermanentFaultException: Expected the answer of shop.example, found a redirect (302), which is never followed",
        "redirected"
    )]
    [TestCase("PermanentFaultException: shop.example leads to 10.0.0.7, which is private", "address-not-allowed")]
    [TestCase("WebhookFailedException: shop.example could not be reached: refused (10.0.0.7:2525)", "not-reached")]
    public void A_fault_of_a_delivery_has_a_code_and_no_address(string recorded, string code)
    {
        var fault = ClientFault.OfDelivery(recorded)!;
        Assert.That(fault.Code, Is.EqualTo(code));
        Assert.That(fault.Sentence, Does.Not.Contain("10.0.0.7").And.Not.Contain("internal"));
    }
}
