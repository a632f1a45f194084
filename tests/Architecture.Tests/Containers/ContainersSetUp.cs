namespace Orders.Architecture.Tests.Containers;

/// <summary>The one installation of all long tests here: started by the first that asks, removed at the end.</summary>
[SetUpFixture]
public sealed class ContainersSetUp
{
    private static readonly Lazy<Task<RunningInstallation>> Opened = new(RunningInstallation.OpenAsync);

    /// <summary>The installation.</summary>
    internal static Task<RunningInstallation> InstallationAsync() => Opened.Value;

    [OneTimeTearDown]
    public async Task CloseAsync()
    {
        if (Opened.IsValueCreated)
            await (await Opened.Value).DisposeAsync();
    }
}
