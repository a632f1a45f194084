using QueueWorkers.Hosting;

namespace Orders.Dashboard.Login;

/// <summary>How many wrong passwords the login takes, section <c>Login</c>.</summary>
internal sealed record LoginOptions
{
    /// <summary>
    /// Wrong passwords for one name from one address before that address is refused for that name. Default: 5.
    /// </summary>
    /// <value>tries</value>
    public int Tries { get; init; } = 5;

    /// <summary>
    /// Wrong passwords from one address, whatever the names, before it is refused. More than
    /// <c>Tries</c> where many operators share an address. Default: 20.
    /// </summary>
    /// <value>tries</value>
    public int TriesPerAddress { get; init; } = 20;

    /// <summary>How long such an address is refused. Default: 15 min.</summary>
    public TimeSpan LockOut { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Logins that may wait while another password is checked; one more is answered 429. Default: 8.
    /// </summary>
    /// <value>logins</value>
    public int Waiting { get; init; } = 8;

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static LoginOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Login").Get<LoginOptions>() ?? new LoginOptions();
        new ConfigurationProblems()
            .Require(
                options.Tries is >= 1 and <= 100,
                $"Login:Tries must be 1–100, got {options.Tries}; set Login__Tries"
            )
            .Require(
                options.TriesPerAddress is >= 1 and <= 10_000,
                $"Login:TriesPerAddress must be 1–10000, got {options.TriesPerAddress}; set Login__TriesPerAddress"
            )
            .Require(
                options.LockOut >= TimeSpan.FromMinutes(1) && options.LockOut <= TimeSpan.FromHours(24),
                $"Login:LockOut must be 00:01:00–1.00:00:00, got {options.LockOut}; set Login__LockOut"
            )
            .Require(
                options.Waiting is >= 1 and <= 1000,
                $"Login:Waiting must be 1–1000, got {options.Waiting}; set Login__Waiting"
            )
            .ThrowIfAny();
        return options;
    }
}
