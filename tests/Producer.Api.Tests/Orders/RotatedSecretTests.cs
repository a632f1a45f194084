namespace Orders.Producer.Api.Tests.Orders;

/// <summary>
/// The hash of a posted body cannot be made without the installation's secret, and a change of the secret does not make
/// a repeated post a second order.
/// </summary>
internal sealed class RotatedSecretTests : ApiFixture
{
    private const string First = "first-secret-of-this-installation-0123456789";
    private const string Second = "second-secret-of-this-installation-0123456789";

    protected override IEnumerable<(string Name, string Value)> Settings => [("PersonalData:Secret", First)];

    [Test]
    public async Task A_post_is_recognised_with_the_secret_before_and_not_without_it()
    {
        var first = await PostAsync(SampleOrder.Text, idempotencyKey: "rotated");
        Assert.That(first.Status, Is.EqualTo(202), first.ToString());

        await RestartApiAsync(("PersonalData:Secret", Second), ("PersonalData:PreviousSecrets", First));
        var again = await PostAsync(SampleOrder.Text, idempotencyKey: "rotated");
        Assert.That(again.Status, Is.EqualTo(202), again.ToString());
        Assert.That(again.Text, Is.EqualTo(first.Text), "the order of the first post");
        Assert.That(
            (await PostAsync(SampleOrder.WithQuantity("3"), idempotencyKey: "rotated")).Code,
            Is.EqualTo("idempotency-key-reused"),
            "another body"
        );

        // Whoever knows the body and not the secret cannot make its hash: a guessed name cannot be tried out.
        await RestartApiAsync(("PersonalData:Secret", Second));
        Assert.That(
            (await PostAsync(SampleOrder.Text, idempotencyKey: "rotated")).Code,
            Is.EqualTo("idempotency-key-reused"),
            "the same body without the secret it was stored with"
        );
        await RestartApiAsync();
    }
}
