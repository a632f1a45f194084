using Orders.Infrastructure;

namespace Orders.Architecture.Tests.Settings;

/// <summary>A variable that looks like a setting and is none is named at the start of each host.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class UnknownSettingTests
{
    [TestCase("Emial__From", "no setting 'Emial__From'; did you mean 'Email__From'?")]
    [TestCase("Email__Form", "no setting 'Email__Form'; did you mean 'Email__From'?")]
    [TestCase("Retention__Idempotencies", "did you mean 'Retention__Idempotency'?")]
    [TestCase("RabbitMQ__Pasword", "did you mean 'RabbitMq__Password'?")]
    [TestCase("ConnectionStrings__Postgre", "did you mean 'ConnectionStrings__Postgres'?")]
    [TestCase("Email__TheColourOfTheEnvelope", "section 'Email' has none of this name")]
    public void A_misspelled_setting_is_named(string variable, string says) =>
        Assert.That(OrdersSettings.Known.Unknown([variable]), Has.One.Items.And.All.Contains(says));

    [TestCase("Email__From")]
    [TestCase("EMAIL__FROM")]
    [TestCase("Logging__LogLevel__Npgsql")]
    [TestCase("Kestrel__Limits__MaxConcurrentConnections")]
    [TestCase("Deploy__Subscriptions__crm")]
    [TestCase("ASPNETCORE_HTTP_PORTS")]
    [TestCase("RABBITMQ_PORT_5672_TCP")]
    [TestCase("__CF_USER_TEXT_ENCODING")]
    [TestCase("GRAFANA__URL")]
    [TestCase("EMAIL_DB_PASSWORD")]
    public void A_setting_and_what_belongs_to_others_are_not(string variable) =>
        Assert.That(OrdersSettings.Known.Unknown([variable]), Is.Empty);

    // The sender is missing because its name is misspelled: the refusal says both.
    [Test]
    public async Task A_host_that_refuses_its_configuration_names_them_too()
    {
        var (code, error) = await HostProcess.RunAsync(
            "Workers",
            ["run", "--Workers:Steps=email"],
            ("Emial__From", "orders@orders.example")
        );
        Assert.That(code, Is.EqualTo(2), error);
        Assert.That(error, Does.Contain("set Email__From").And.Contain("no setting 'Emial__From'; did you mean"));
    }
}
